//! `sum-server` and `sum-server-threaded`: note 1's servers.
//!
//! A check is one function and one entry in [`conversation::CHECKS`]: copy ten lines to add one.

mod clients;
mod conversation;

use super::{Assignment, Check, Lab, Peer, Verdict, server};
use crate::sum::protocol::encode;

pub(super) const SEQUENTIAL: Assignment = Assignment {
    name: "sum-server",
    about: "a server that adds integers, for one client after the other",
    chapter: "3",
    example: "./server {socket}",
    page: include_str!("../../../docs/assignments/sum-server.md"),
    checks: &[
        ("starts", server::START),
        ("one-sum", conversation::CHECKS),
        ("one-sum", clients::IN_TURN),
        ("starts", server::ENDING),
        ("starts", GOODBYE),
    ],
};

pub(super) const THREADED: Assignment = Assignment {
    name: "sum-server-threaded",
    about: "a server that adds integers, for many clients at once",
    chapter: "3",
    example: "./server {socket}",
    page: include_str!("../../../docs/assignments/sum-server-threaded.md"),
    checks: &[
        ("starts", server::START),
        ("one-sum", conversation::CHECKS),
        ("one-sum", clients::IN_TURN),
        ("one-sum", clients::AT_ONCE),
        ("starts", server::ENDING),
        ("starts", GOODBYE),
    ],
};

const GOODBYE: &[Check] = &[Check {
    name: "goodbye",
    points: 1,
    about: "at its end it tells every connected client Goodbye",
    cause: "the connections are just closed: send the frame \"Goodbye: the server is shutting down\" before",
    run: goodbye,
}];

/// The integers as they go over the wire.
fn wire(integers: &[i32]) -> Vec<u8> {
    integers.iter().copied().flat_map(encode).collect()
}

/// Expects the text of the answer; the bytes after it are another check's business.
fn expect_sum(client: &mut Peer, sum: i128) -> Verdict {
    client.expect(format!("Result = {sum}").as_bytes())
}

/// One whole conversation, which every server has to be able to hold at any time.
fn converse(client: &mut Peer, integers: &[i32]) -> Verdict {
    for &integer in integers {
        client.send_and_settle(&encode(integer))?;
    }
    client.send(&wire(&[0]))?;
    let sum = |integers: &mut dyn Iterator<Item = i32>| -> Vec<u8> {
        let sum: i64 = integers.map(i64::from).sum();
        format!("Result = {sum}").into()
    };
    let right = sum(&mut integers.iter().copied());
    let swapped = sum(&mut integers.iter().map(|integer| integer.swap_bytes()));
    client.expect_unless(&right, &swapped, SWAPPED)
}

const SWAPPED: &str =
    "the integers are read in the other byte order: they come in that of the machine, so no ntohl";

fn goodbye(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    server.settle(); // it has accepted the client, and waits for its first integer
    server.signal("INT");
    client.expect(b"Goodbye: the server is shutting down")
}
