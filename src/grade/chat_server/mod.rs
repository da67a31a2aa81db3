//! `chat-one-way` and `chat-two-way`: note 2's servers.

mod answers;
mod shows;

use super::{Assignment, Fault, Peer, Running, Verdict, server};
use crate::harness::Stream;

pub(super) const ONE_WAY: Assignment = Assignment {
    name: "chat-one-way",
    about: "a server that shows what its clients say",
    chapter: "4",
    example: "./server {socket}",
    page: include_str!("../../../docs/assignments/chat-one-way.md"),
    checks: &[
        ("starts", server::START),
        ("shows", shows::CHECKS),
        ("shows", shows::SILENT),
        ("starts", server::ENDING),
    ],
};

pub(super) const TWO_WAY: Assignment = Assignment {
    name: "chat-two-way",
    about: "a server that shows what its clients say, and answers",
    chapter: "4",
    example: "./server {socket}",
    page: include_str!("../../../docs/assignments/chat-two-way.md"),
    checks: &[
        ("starts", server::START),
        ("shows", shows::CHECKS),
        ("to-all", answers::CHECKS),
        ("starts", server::ENDING),
    ],
};

/// Connects, says HELLO, and waits until the server has heard it.
fn join<'a>(server: &'a Running<'a>, name: &str) -> Result<Peer<'a>, Fault> {
    let mut client = server.connect()?;
    client.send_and_settle(format!("HELLO {name} 4711\n").as_bytes())?;
    Ok(client)
}

fn expect_shown(server: &Running, line: &str) -> Verdict {
    server.expect_printed(Stream::Stdout, &format!("{line}\n"))
}

/// A whole exchange, which has to be possible at any time.
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
