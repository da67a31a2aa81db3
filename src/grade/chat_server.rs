//! `chat-one-way` and `chat-two-way`: note 2's servers.

use super::{Assignment, Check, Fault, Lab, Peer, Running, Verdict, server};
use crate::process::Stream;

pub(super) const ONE_WAY: Assignment = Assignment {
    name: "chat-one-way",
    about: "a server that shows what its clients say",
    chapter: "4",
    example: "./server {socket}",
    page: include_str!("../../docs/assignments/chat-one-way.md"),
    checks: &[server::START, SHOWS, SILENT, server::ENDING],
};

pub(super) const TWO_WAY: Assignment = Assignment {
    name: "chat-two-way",
    about: "a server that shows what its clients say, and answers",
    chapter: "4",
    example: "./server {socket}",
    page: include_str!("../../docs/assignments/chat-two-way.md"),
    checks: &[server::START, SHOWS, ANSWERS, server::ENDING],
};

const SHOWS: &[Check] = &[
    Check {
        name: "shows",
        points: 2,
        about: "a line of a client is shown as <name>#<number>: <text>",
        cause: "the first line, HELLO <name> <pid>, is not taken for the name, or the line is shown in another form",
        run: shows,
    },
    Check {
        name: "anonymous",
        points: 1,
        about: "a client that does not say HELLO is anonymous",
        cause: "the first line is taken for a HELLO without a look at it",
        run: anonymous,
    },
    Check {
        name: "at-once",
        points: 2,
        about: "several clients talk at the same time, each with a number of its own",
        cause: "accept is called again only when a client is done: one thread a client, or select",
        run: at_once,
    },
    Check {
        name: "glued",
        points: 2,
        about: "three lines that come in one piece are three lines",
        cause: "one read was taken for one line: look for the line ends in what came",
        run: glued,
    },
    Check {
        name: "cut",
        points: 2,
        about: "a line that comes in pieces is one line",
        cause: "what came before the line end was shown already: keep it until the line is whole",
        run: cut,
    },
    Check {
        name: "crlf",
        points: 1,
        about: "a line may end in \\r\\n",
        cause: "only the \\n was taken off the line's end",
        run: crlf,
    },
    Check {
        name: "order",
        points: 1,
        about: "3 clients send 100 lines each: all are shown, none torn, each client's in its order",
        cause: "a line is printed in pieces, which mix with those of another client: print it in one call",
        run: order,
    },
    Check {
        name: "client-vanishes",
        points: 1,
        about: "a client that goes in the middle of a line harms nobody",
        cause: "read returned 0, the end of the stream, and that was not looked at",
        run: client_vanishes,
    },
    Check {
        name: "joins",
        points: 1,
        about: "who joins is told on stderr, with name and pid",
        cause: "the pid in HELLO <name> <pid> is not shown, or it is shown on stdout",
        run: joins,
    },
    Check {
        name: "escapes",
        points: 2,
        about: "control characters do not reach the terminal",
        cause: "the text is printed as it came: a client can clear the screen, or type for the user",
        run: escapes,
    },
    Check {
        name: "long-line",
        points: 1,
        about: "of a line over 4096 bytes nothing is kept for ever, and the next line is shown",
        cause: "the buffer is full and no line end in it: skip to the line end",
        run: long_line,
    },
    Check {
        name: "hundred",
        points: 1,
        about: "a hundred clients are connected at once",
        cause: "there is a limit below a hundred: the size of an array, or of the backlog in listen",
        run: hundred,
    },
];

const SILENT: &[Check] = &[Check {
    name: "silent",
    points: 1,
    about: "a one-way server sends nothing",
    cause: "what a client said, or what was typed, is sent to a client",
    run: silent,
}];

const ANSWERS: &[Check] = &[
    Check {
        name: "to-all",
        points: 2,
        about: "a line typed at the server goes to every client",
        cause: "stdin is not read while clients are waited for, or the line goes to one client only",
        run: to_all,
    },
    Check {
        name: "to-a-name",
        points: 1,
        about: "@name text goes to that client only, without the @name",
        cause: "the name is not compared with those of the clients, or is left in the text",
        run: to_a_name,
    },
    Check {
        name: "to-a-number",
        points: 1,
        about: "@#number text goes to that client only",
        cause: "#number is taken for a name, or clients are numbered anew when one goes",
        run: to_a_number,
    },
    Check {
        name: "unknown",
        points: 1,
        about: "an address that nobody has is told on stderr, and the line goes to nobody",
        cause: "the line is sent to all when the name was not found",
        run: unknown,
    },
    Check {
        name: "end-of-input",
        points: 1,
        about: "the end of the server's input ends its typing only",
        cause: "the end of stdin is taken for the end of the program",
        run: end_of_input,
    },
    Check {
        name: "stuck-client",
        points: 2,
        about: "a client that stops reading is dropped within 5 s, and holds up nobody",
        cause: "write blocks when a client's buffer is full: give it a limit, and drop that client",
        run: stuck_client,
    },
];

/// Connects, says HELLO, and waits until the server has heard it.
fn join<'a>(server: &'a Running<'a>, name: &str) -> Result<Peer<'a>, Fault> {
    let mut client = server.connect()?;
    client.send_and_settle(format!("HELLO {name} 4711\n").as_bytes())?;
    Ok(client)
}

fn expect_shown(server: &Running, line: &str) -> Verdict {
    server.expect_printed(Stream::Stdout, &format!("{line}\n"))
}

/// A whole exchange, as it has to be possible at any time.
fn expect_alive(server: &Running) -> Verdict {
    let mut client = join(server, "zoe")?;
    client.send(b"still there?\n")?;
    let shown = |text: &str| {
        text.lines()
            .any(|line| line.starts_with("zoe#") && line.ends_with(": still there?"))
    };
    if server.wait_printed(shown) {
        return Ok(());
    }
    Err(server
        .fault("another client is not served any more")
        .expected("zoe#<number>: still there?")
        .came("nothing of that kind on stdout"))
}

fn shows(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = join(&server, "eve")?;
    client.send(b"good morning\n")?;
    expect_shown(&server, "eve#1: good morning")
}

fn anonymous(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    client.send(b"HELLO everybody out there\n")?;
    expect_shown(&server, "anonymous#1: HELLO everybody out there")
}

fn at_once(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    let mut bob = join(&server, "bob")?;
    bob.send(b"I am second\n")?;
    expect_shown(&server, "bob#2: I am second")?;
    eve.send(b"I am first\n")?;
    expect_shown(&server, "eve#1: I am first")
}

fn glued(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    server.pause();
    eve.send(b"one\ntwo\nthree\n")?;
    server.resume();
    expect_shown(&server, "eve#1: one\neve#1: two\neve#1: three")
}

fn cut(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    for piece in ["good ", "morn", "ing\n"] {
        eve.send_and_settle(piece.as_bytes())?;
    }
    expect_shown(&server, "eve#1: good morning")
}

fn crlf(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send(b"good morning\r\n")?;
    expect_shown(&server, "eve#1: good morning")
}

fn order(lab: &Lab) -> Verdict {
    const LINES: usize = 100;
    let server = lab.serve()?;
    let names = ["eve", "bob", "zoe"];
    let mut clients = Vec::new();
    for name in names {
        clients.push(join(&server, name)?);
    }
    for number in 0..LINES {
        for client in &mut clients {
            client.send(format!("line {number}\n").as_bytes())?;
        }
        server.settle(); // lines that come in one piece are another check's business
    }
    server.wait_printed(|text| text.lines().count() >= names.len() * LINES);
    let shown = server.printed(Stream::Stdout);
    for (name, at) in names.iter().zip(1..) {
        let prefix = format!("{name}#{at}: ");
        let own = shown.lines().filter_map(|line| line.strip_prefix(&prefix));
        let expected = (0..LINES).map(|number| format!("line {number}"));
        if !own.eq(expected) {
            return Err(server
                .fault(format!(
                    "the lines of {name}#{at} are not shown as they were sent"
                ))
                .expected(format!("{prefix}line 0, and so on to line {}", LINES - 1)));
        }
    }
    Ok(())
}

fn client_vanishes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    for part in [&b""[..], b"HEL", b"half a li"] {
        let mut client = server.connect()?;
        client.send_and_settle(part)?;
        drop(client);
        server.settle();
    }
    expect_alive(&server)
}

fn joins(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let _eve = join(&server, "eve")?;
    server.expect_printed(Stream::Stderr, "eve")?;
    server.expect_printed(Stream::Stderr, "4711")
}

fn escapes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send_and_settle(b"\x1b[2J\x07 I clear your screen\n")?;
    eve.send(b"after\n")?;
    expect_shown(&server, "eve#1: after")?;
    let shown = server.printed(Stream::Stdout);
    match shown.contains(['\x1b', '\x07']) {
        false => Ok(()),
        true => Err(server
            .fault("it prints control characters as they came")
            .given("\\x1b[2J\\x07 I clear your screen")
            .expected("each of them in a form that a person can read, such as \\x1b")
            .came(format!("{:?}", shown.lines().next().unwrap_or_default()))),
    }
}

fn long_line(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send_and_settle(&[&[b'x'; 10_000][..], b"\n"].concat())?;
    eve.send(b"after\n")?;
    expect_shown(&server, "eve#1: after")?;
    match server.printed(Stream::Stdout).contains(&"x".repeat(4097)) {
        false => Ok(()),
        true => Err(server
            .fault("a line of 10,000 bytes is shown in full")
            .expected("a limit of 4096 bytes")),
    }
}

fn hundred(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(server.connect()?);
    }
    server.settle();
    for client in &mut clients {
        client.send_and_settle(b"here\n")?;
    }
    let all =
        |text: &str| (1..=100).all(|number| text.contains(&format!("anonymous#{number}: here\n")));
    if server.wait_printed(all) {
        return Ok(());
    }
    let count = server.printed(Stream::Stdout).lines().count();
    Err(server
        .fault("not all of a hundred clients are heard")
        .expected("anonymous#1: here, and so on to anonymous#100: here")
        .came(format!("{count} lines")))
}

fn silent(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    eve.send(b"good morning\n")?;
    expect_shown(&server, "eve#1: good morning")?;
    eve.expect_silence()
}

fn to_all(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = [join(&server, "eve")?, join(&server, "bob")?];
    server.type_line("good morning")?;
    clients
        .iter_mut()
        .try_for_each(|client| client.expect(b"good morning\n"))
}

/// Types a line for the second of two clients, and expects that the first gets nothing of it.
fn expect_private(lab: &Lab, address: &str) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    let mut bob = join(&server, "bob")?;
    server.type_line(&format!("{address} good morning"))?;
    bob.expect(b"good morning\n")?;
    eve.expect_silence()
}

fn to_a_name(lab: &Lab) -> Verdict {
    expect_private(lab, "@bob")
}

fn to_a_number(lab: &Lab) -> Verdict {
    expect_private(lab, "@#2")
}

fn unknown(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut eve = join(&server, "eve")?;
    server.type_line("@carol good morning")?;
    server.expect_printed(Stream::Stderr, "carol")?;
    eve.expect_silence()
}

fn end_of_input(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    server.settle();
    server.end_input();
    server.settle();
    expect_alive(&server)
}

fn stuck_client(lab: &Lab) -> Verdict {
    const LINES: usize = 1000;
    let server = lab.serve()?;
    let mut stuck = join(&server, "bob")?;
    let mut eve = join(&server, "eve")?;
    let line = "x".repeat(3000);
    for _ in 0..LINES {
        server.type_line(&line)?;
        let heard = eve.expect(format!("{line}\n").as_bytes());
        heard.map_err(|_| server.fault("eve gets nothing more, for bob does not read"))?;
    }
    let sent = stuck.receive_up_to(LINES * (line.len() + 1)).len();
    match sent < LINES * (line.len() + 1) {
        true => stuck.expect_end(),
        false => Err(server
            .fault("a client that did not read was sent everything when it read at last")
            .expected(
                "its end when it had not read for a while: who keeps 3 MB for it keeps 3 GB, too",
            )),
    }
}
