//! `chat-client`: the client of note 2's two-way server; the grader is its server and its user.

use super::{Assignment, Check, Fault, Host, Lab, Peer, Running, Verdict, client, watch};
use crate::harness::Stream;

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "chat-client",
    about: "a client that sends what its user types, and shows what the server says",
    chapter: "4",
    example: "./client {socket} {name}",
    page: include_str!("../../docs/assignments/chat-client.md"),
    checks: &[
        ("connects", client::START),
        ("connects", SENDS),
        ("shows", SHOWS),
        ("connects", LEAVES),
        ("connects", client::ENDING),
    ],
};

const SENDS: &[Check] = &[
    Check {
        name: "hello",
        points: 2,
        about: "its first line is HELLO <name> <pid>",
        cause: "the name is not that of its arguments, the pid is not getpid(), or the line has no end",
        run: hello,
    },
    Check {
        name: "sends",
        points: 2,
        about: "each line that is typed is sent at once, with its line end",
        cause: "the line end is cut off, or lines are gathered (a buffered stream) until the program ends",
        run: sends,
    },
];

const SHOWS: &[Check] = &[
    Check {
        name: "shows",
        points: 2,
        about: "a line of the server is shown as server: <text>, while the user types nothing",
        cause: "it waits for stdin alone: wait for the socket too (a second thread, select or poll)",
        run: shows,
    },
    Check {
        name: "glued",
        points: 1,
        about: "two lines that come in one piece are shown as two",
        cause: "one read was taken for one line: look for the line ends in what came",
        run: glued,
    },
    Check {
        name: "cut",
        points: 1,
        about: "a line that comes in pieces is shown as one",
        cause: "what came before the line end was shown already: keep it until the line is whole",
        run: cut,
    },
    Check {
        name: "escapes",
        points: 1,
        about: "control characters do not reach the terminal",
        cause: "the text is printed as it came: a server can clear the screen, or type for the user",
        run: escapes,
    },
];

const LEAVES: &[Check] = &[
    Check {
        name: "end-of-input",
        points: 1,
        about: "the end of input (Ctrl-D) ends it with exit code 0, and all that was typed has been sent",
        cause: "the end of input is not looked at, or what is in a buffer is thrown away",
        run: end_of_input,
    },
    Check {
        name: "sigpipe",
        points: 1,
        about: "it does not die of SIGPIPE when it sends to a server that has gone",
        cause: "SIGPIPE ends it before it can say why",
        run: sigpipe,
    },
];

/// Takes the client's connection and its HELLO.
fn welcome<'p, 'a: 'p>(host: &Host<'a>, client: &'p Running<'p>) -> Result<Peer<'p>, Fault> {
    let mut server = host.accept(client)?;
    server.receive_line()?;
    client.settle();
    Ok(server)
}

fn hello(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let line = host.accept(&client)?.receive_line()?;
    // A program that was started by a script has another pid than the script.
    let lines = watch::family(client.pid())
        .into_iter()
        .map(|pid| format!("HELLO {} {pid}\n", lab.name()));
    match lines.clone().any(|expected| expected == line) {
        true => Ok(()),
        false => Err(client
            .fault("its first line is not its HELLO")
            .expected(format!("{:?}", lines.last().unwrap_or_default()))
            .came(format!("{line:?}"))),
    }
}

fn sends(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = welcome(&host, &client)?;
    for line in ["good morning", "good evening"] {
        client.type_line(line)?;
        server.expect(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}

/// Sends pieces to the client, and expects it to show these lines.
fn expect_shown(lab: &Lab, pieces: &[&str], shown: &str) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = welcome(&host, &client)?;
    for piece in pieces {
        server.send_and_settle(piece.as_bytes())?;
    }
    client.expect_printed(Stream::Stdout, shown)
}

fn shows(lab: &Lab) -> Verdict {
    expect_shown(lab, &["good morning\n"], "server: good morning\n")
}

fn glued(lab: &Lab) -> Verdict {
    expect_shown(lab, &["one\ntwo\n"], "server: one\nserver: two\n")
}

fn cut(lab: &Lab) -> Verdict {
    expect_shown(lab, &["good ", "morn", "ing\n"], "server: good morning\n")
}

fn escapes(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = welcome(&host, &client)?;
    server.send_and_settle(b"\x1b[2J\x07 I clear your screen\n")?;
    server.send(b"after\n")?;
    client.expect_printed(Stream::Stdout, "server: after\n")?;
    let shown = client.printed(Stream::Stdout);
    match shown.contains("\x1b[2J") || shown.contains('\x07') {
        false => Ok(()),
        true => Err(client
            .fault("it prints control characters as they came")
            .given("\\x1b[2J\\x07 I clear your screen")
            .expected("each of them in a form that a person can read, such as \\x1b")),
    }
}

fn end_of_input(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = welcome(&host, &client)?;
    client.feed(b"one\ntwo\n")?;
    client.end_input();
    server.expect(b"one\ntwo\n")?;
    server.expect_end()?;
    client.expect_end(0)
}

fn sigpipe(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let server = welcome(&host, &client)?;
    server.refuse(); // the client's next send fails: its only sign that the server disconnects
    client.type_line("good morning")?;
    client.settle();
    drop(server);
    client.expect_end(1)
}
