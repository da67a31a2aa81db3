//! `sum-client`: the client of note 1's servers; the grader is its server and its user.

use super::{Assignment, Check, Lab, Peer, Running, Verdict, client};
use crate::harness::Stream;
use crate::sum::protocol::{Reply, encode};

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "sum-client",
    about: "a client that sends integers and prints their sum",
    chapter: "3",
    example: "./client {socket}",
    page: include_str!("../../docs/assignments/sum-client.md"),
    checks: &[
        ("connects", client::START),
        ("sends", CHECKS),
        ("connects", client::ENDING),
    ],
};

const CHECKS: &[Check] = &[
    Check {
        name: "sends",
        points: 2,
        about: "40, 2 and 0, typed, are sent as three integers of 4 bytes",
        cause: "the text is sent, or not in 4 bytes of native byte order",
        run: sends,
    },
    Check {
        name: "prints",
        points: 2,
        about: "the server's answer is printed as a line on stdout, and it ends with exit code 0",
        cause: "the answer is not received, or is printed without its line end, or on stderr",
        run: prints,
    },
    Check {
        name: "negative",
        points: 1,
        about: "negative integers are sent too",
        cause: "a minus sign is taken for invalid input, or the integer for an unsigned one",
        run: negative,
    },
    Check {
        name: "ignores-invalid",
        points: 2,
        about: "what is not a 32-bit integer is ignored",
        cause: "atoi makes a 0 of what is no number, and anything of one that is too large: use strtol, and look at its end pointer and at errno",
        run: ignores_invalid,
    },
    Check {
        name: "stops-at-0",
        points: 1,
        about: "nothing is sent behind the 0",
        cause: "the loop over stdin goes on after the 0",
        run: stops_at_0,
    },
    Check {
        name: "many",
        points: 1,
        about: "50,000 integers all arrive, in order",
        cause: "a send that took a part only was not repeated for the rest",
        run: many,
    },
    Check {
        name: "frame-in-pieces",
        points: 2,
        about: "an answer that comes in three pieces is put together",
        cause: "one read was taken for the whole frame: read until all 128 bytes are there",
        run: frame_in_pieces,
    },
    Check {
        name: "no-padding",
        points: 1,
        about: "the NULs behind the answer's text are not printed",
        cause: "all 128 bytes are written to stdout: the text ends at the first NUL",
        run: no_padding,
    },
    Check {
        name: "end-of-input",
        points: 1,
        about: "the end of input (Ctrl-D) ends it with exit code 0, and nothing is sent for it",
        cause: "the end of input is not looked at, or taken for a 0",
        run: end_of_input,
    },
    Check {
        name: "goodbye",
        points: 1,
        about: "the frame Goodbye is no sum: exit code 1",
        cause: "any frame is taken for the answer: look whether it begins with \"Result = \"",
        run: goodbye,
    },
    Check {
        name: "sigpipe",
        points: 1,
        about: "it does not die of SIGPIPE when it sends to a server that has gone",
        cause: "SIGPIPE ends it before it can say why",
        run: sigpipe,
    },
];

const SWAPPED: &str =
    "the integers are sent in the other byte order: that of the machine is asked for, so no htonl";

/// The integers as they go over the wire.
fn wire(integers: &[i32]) -> Vec<u8> {
    integers.iter().copied().flat_map(encode).collect()
}

/// Types the words, one per line, and expects the client to send the integers.
fn expect_sent(client: &Running, server: &mut Peer, typed: &str, integers: &[i32]) -> Verdict {
    for word in typed.split(' ') {
        client.type_line(word)?;
    }
    let swapped: Vec<_> = integers
        .iter()
        .map(|integer| integer.swap_bytes())
        .collect();
    let sent = server.expect_unless(&wire(integers), &wire(&swapped), SWAPPED);
    sent.map_err(|fault| fault.given(format!("{typed}, one a line")))
}

fn sends(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40 2 0", &[40, 2, 0])
}

fn prints(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40 2 0", &[40, 2, 0])?;
    server.send(&Reply::Result(42).frame())?;
    drop(server);
    client.expect_printed(Stream::Stdout, "Result = 42\n")?;
    client.end_input();
    client.expect_end(0)
}

fn negative(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "-50 8 0", &[-50, 8, 0])
}

fn ignores_invalid(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    let typed = "forty 40 4x 2147483648 99999999999999999999 -2147483648 0";
    expect_sent(&client, &mut server, typed, &[40, i32::MIN, 0])
}

fn stops_at_0(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    client.feed(b"40\n0\n7\n7\n")?;
    server.expect(&wire(&[40, 0]))?;
    server.expect_silence()
}

fn many(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    let integers: Vec<_> = (1..=50_000).collect();
    for part in integers.chunks(1000) {
        let typed: String = part.iter().map(|integer| format!("{integer}\n")).collect();
        client.feed(typed.as_bytes())?;
        server.expect(&wire(part))?;
    }
    Ok(())
}

fn frame_in_pieces(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40 2 0", &[40, 2, 0])?;
    let frame = Reply::Result(42).frame();
    for piece in [&frame[..5], &frame[5..10], &frame[10..]] {
        server.send_and_settle(piece)?;
    }
    client.expect_printed(Stream::Stdout, "Result = 42\n")
}

fn no_padding(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40 2 0", &[40, 2, 0])?;
    server.send(&Reply::Result(42).frame())?;
    drop(server);
    client.end_input();
    client.wait()?;
    match client.printed(Stream::Stdout).matches('\0').count() {
        0 => Ok(()),
        count => Err(client
            .fault("it prints NUL bytes, which a terminal does not show and a file keeps")
            .expected("none")
            .came(format!("{count} of them"))),
    }
}

fn end_of_input(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40", &[40])?;
    client.end_input();
    server.expect_end()?;
    client.expect_end(0)
}

fn goodbye(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40 0", &[40, 0])?;
    server.send(&Reply::Goodbye.frame())?;
    drop(server);
    client.expect_end(1)
}

fn sigpipe(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let mut server = host.accept(&client)?;
    expect_sent(&client, &mut server, "40", &[40])?;
    server.refuse(); // the client's next send fails: its only sign that the server disconnects
    client.type_line("2")?;
    client.settle();
    drop(server);
    client.expect_end(1)
}
