//! A line typed at the server reaches the clients that it is meant for.

use std::time::Duration;

use super::{expect_alive, join};
use crate::grade::{Check, Lab, Verdict, watch};
use crate::harness::Stream;

pub(super) const CHECKS: &[Check] = &[
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

fn to_all(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = [join(&server, "eve")?, join(&server, "bob")?];
    server.type_line("good morning")?;
    clients
        .iter_mut()
        .try_for_each(|client| client.expect(b"good morning\n"))?;
    server.feed(b"one\ntwo\n")?;
    let mut heard = clients
        .iter_mut()
        .map(|client| client.expect(b"one\ntwo\n"));
    heard.try_for_each(|heard| {
        heard.map_err(|fault| fault.given("two lines, typed at once").because(TWO_LINES))
    })
}

const TWO_LINES: &str =
    "one read of stdin is taken for one line: look for the line ends in what came";

/// Types a line for the second of two clients, and expects that the first gets none of it.
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
    eve.expect_silence()?;
    for part in ["@ev", "@evelyn", "@#10"] {
        server.type_line(&format!("{part} good morning"))?;
        let silent = eve.expect_silence();
        silent.map_err(|fault| {
            fault
                .given(format!("{part}, to eve#1"))
                .because(WHOLE_NAMES)
        })?;
    }
    Ok(())
}

const WHOLE_NAMES: &str =
    "only the beginnings of the names are compared (strncmp): the whole of both has to be the same";

fn end_of_input(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    server.settle();
    server.end_input();
    server.expect_rest()?;
    expect_alive(&server)
}

/// How long a client may go without reading before the server drops it, as the page says.
const PATIENCE: Duration = Duration::from_secs(5);

fn stuck_client(lab: &Lab) -> Verdict {
    const LINES: usize = 1000;
    let server = lab.serve()?;
    let stuck = join(&server, "bob")?;
    let mut eve = join(&server, "eve")?;
    eve.allow(PATIENCE)?; // the server may wait that long for bob
    let line = "x".repeat(3000);
    for _ in 0..LINES {
        server.type_line(&line)?;
        let heard = eve.expect(format!("{line}\n").as_bytes());
        heard.map_err(|_| server.fault("eve gets nothing more, because bob does not read"))?;
        if stuck.was_dropped() {
            return Ok(());
        }
    }
    match watch::wait_until(PATIENCE + lab.timeout(), || stuck.was_dropped()) {
        true => Ok(()),
        false => Err(server
            .fault("a client that does not read is kept")
            .given("1,000 lines of 3,000 bytes, of which bob read none")
            .expected("the end of bob's connection within 5 s")
            .came("nothing")),
    }
}
