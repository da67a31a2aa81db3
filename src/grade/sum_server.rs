//! `sum-server` and `sum-server-threaded`: note 1's servers.
//!
//! A check is one function and one entry in [`COMMON`]: copy ten lines to add one.

use super::{Assignment, Check, Lab, Peer, Verdict, server};
use crate::sum::protocol::{Reply, encode};

pub(super) const SEQUENTIAL: Assignment = Assignment {
    name: "sum-server",
    about: "a server that adds integers, for one client after the other",
    chapter: "3",
    example: "./server {socket}",
    page: include_str!("../../docs/assignments/sum-server.md"),
    checks: &[server::START, COMMON, server::ENDING, GOODBYE],
};

pub(super) const THREADED: Assignment = Assignment {
    name: "sum-server-threaded",
    about: "a server that adds integers, for many clients at once",
    chapter: "3",
    example: "./server {socket}",
    page: include_str!("../../docs/assignments/sum-server-threaded.md"),
    checks: &[server::START, COMMON, AT_ONCE, server::ENDING, GOODBYE],
};

const COMMON: &[Check] = &[
    Check {
        name: "one-sum",
        points: 2,
        about: "40, 2 and 0, one after the other, give \"Result = 42\"",
        cause: "the integers are not read as 4 bytes in native byte order, or the answer is not that text",
        run: one_sum,
    },
    Check {
        name: "waits-for-0",
        points: 1,
        about: "nothing is answered before the 0",
        cause: "the answer is sent after each read, and not when the integer 0 was found",
        run: waits_for_0,
    },
    Check {
        name: "frame",
        points: 1,
        about: "the answer is 128 bytes long, filled up with NUL",
        cause: "strlen or the text's length was sent, and not the whole frame; or the frame was not cleared before",
        run: frame,
    },
    Check {
        name: "closes",
        points: 1,
        about: "after its answer the connection is closed",
        cause: "close is not called on the connected socket, or a copy of the descriptor is still open (after fork: in the parent)",
        run: closes,
    },
    Check {
        name: "negative",
        points: 1,
        about: "negative integers are added too",
        cause: "the integers are taken for unsigned ones",
        run: negative,
    },
    Check {
        name: "next-client",
        points: 1,
        about: "the next client gets a sum of its own",
        cause: "the sum is not set to 0 for each client, or the server ends after its first",
        run: next_client,
    },
    Check {
        name: "glued",
        points: 2,
        about: "integers that come in one piece are all added",
        cause: "one read was taken for one integer: a stream has no borders, one read may bring many",
        run: glued,
    },
    Check {
        name: "cut",
        points: 2,
        about: "integers that come byte by byte are put together",
        cause: "a read that brought less than 4 bytes was taken for an integer: keep its bytes, and go on reading",
        run: cut,
    },
    Check {
        name: "random",
        points: 1,
        about: "200 random integers, one after the other, give the right sum",
        cause: "a byte 0 is taken for the integer 0, or the integers are taken for characters",
        run: random,
    },
    Check {
        name: "large-sum",
        points: 1,
        about: "the sum may be larger than an int",
        cause: "the sum is kept in an int: 64 bits are needed",
        run: large_sum,
    },
    Check {
        name: "ignores-the-rest",
        points: 1,
        about: "what comes behind the 0 is ignored",
        cause: "integers behind the 0 are added too: stop where the 0 is, not where the buffer ends",
        run: ignores_the_rest,
    },
    Check {
        name: "client-vanishes",
        points: 2,
        about: "a client that goes before its 0 harms nobody",
        cause: "read returned 0, the end of the stream, and that was not looked at: it goes on reading, or ends itself",
        run: client_vanishes,
    },
    Check {
        name: "sigpipe",
        points: 2,
        about: "a client that goes before its answer harms nobody",
        cause: "the failed write of the answer ends the server: only this client is gone",
        run: sigpipe,
    },
    Check {
        name: "hundred",
        points: 1,
        about: "a hundred clients, one after the other, all get their sum",
        cause: "something is used up by every client: a descriptor that is not closed, a process that is not waited for",
        run: hundred,
    },
];

const GOODBYE: &[Check] = &[Check {
    name: "goodbye",
    points: 1,
    about: "at its end it tells every connected client Goodbye",
    cause: "the connections are just closed: send the frame \"Goodbye: the server is shutting down\" before",
    run: goodbye,
}];

const AT_ONCE: &[Check] = &[
    Check {
        name: "two-at-once",
        points: 3,
        about: "a second client is served while the first thinks",
        cause: "accept is called again only when a client is done: one thread (or process) a client, or select",
        run: two_at_once,
    },
    Check {
        name: "hundred-at-once",
        points: 2,
        about: "a hundred clients are connected at once, and all are served",
        cause: "there is a limit below a hundred: the size of an array, or of the backlog in listen",
        run: hundred_at_once,
    },
    Check {
        name: "own-sums",
        points: 1,
        about: "clients that send at the same time do not share a sum",
        cause: "the sum is one variable for all clients: each needs its own, on its own stack",
        run: own_sums,
    },
    Check {
        name: "zombies",
        points: 1,
        about: "nothing is left of clients that were served",
        cause: "children that have ended are not waited for: waitpid in a handler of SIGCHLD, or ignore SIGCHLD",
        run: zombies,
    },
    Check {
        name: "ctrl-c-many",
        points: 2,
        about: "Ctrl-C ends it while ten clients are connected",
        cause: "the threads or processes of the clients are waited for, and nobody wakes them",
        run: ctrl_c_many,
    },
];

/// The integers as they go over the wire.
fn wire(integers: &[i32]) -> Vec<u8> {
    integers.iter().copied().flat_map(encode).collect()
}

/// Expects the text of the answer; how it goes on is another check's business.
fn expect_sum(client: &mut Peer, sum: i128) -> Verdict {
    client.expect(format!("Result = {sum}").as_bytes())
}

/// One whole conversation, as every server can have it at any time.
fn converse(client: &mut Peer, integers: &[i32]) -> Verdict {
    for &integer in integers {
        client.send_and_settle(&encode(integer))?;
    }
    client.send(&wire(&[0]))?;
    expect_sum(client, integers.iter().copied().map(i128::from).sum())
}

fn one_sum(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    converse(&mut server.connect()?, &[40, 2])
}

fn waits_for_0(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    for integer in [40, 2] {
        client.send_and_settle(&encode(integer))?;
        client.expect_silence()?;
    }
    Ok(())
}

fn frame(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    for integer in [40, 2, 0] {
        client.send_and_settle(&encode(integer))?;
    }
    client.expect(&Reply::Result(42).frame())
}

fn closes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    converse(&mut client, &[40, 2])?;
    client.receive_up_to(128 - "Result = 42".len());
    client.expect_end()
}

fn negative(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    converse(&mut server.connect()?, &[-50, 8])
}

fn next_client(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    converse(&mut server.connect()?, &[40, 2])?;
    converse(&mut server.connect()?, &[3, 4])
}

fn glued(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    server.pause(); // so that all of it is there when the server reads
    client.send(&wire(&[40, 2, 0]))?;
    server.resume();
    expect_sum(&mut client, 42)
}

fn cut(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    for byte in wire(&[0x0102_0304, 1, 0]) {
        client.send_and_settle(&[byte])?;
    }
    expect_sum(&mut client, 0x0102_0305)
}

fn random(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut random = lab.random();
    let mut integers = vec![1 << 8, 1 << 16, 1 << 24];
    integers.extend((0..200).map(|_| 1 + random.below(1 << 20) as i32));
    converse(&mut server.connect()?, &integers)
}

fn large_sum(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    converse(&mut server.connect()?, &[i32::MAX, i32::MAX, 3])
}

fn ignores_the_rest(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    for integer in [40, 2] {
        client.send_and_settle(&encode(integer))?;
    }
    client.send(&wire(&[0, 7, 7]))?;
    expect_sum(&mut client, 42)
}

fn client_vanishes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    for count in [0, 2, 8] {
        let mut client = server.connect()?;
        client.send_and_settle(&wire(&[1, 2])[..count])?;
        drop(client);
        server.settle(); // and so that it has ended before it is asked again, if it ends of that
    }
    converse(&mut server.connect()?, &[40, 2])
}

fn sigpipe(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    client.send_and_settle(&encode(40))?;
    server.pause(); // so that the client is gone for certain before the answer is sent
    client.send(&encode(0))?;
    drop(client);
    server.resume();
    server.settle(); // and so that it is dead before it is asked again, if it dies of that
    converse(&mut server.connect()?, &[40, 2])
}

fn hundred(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    for number in 1..=100 {
        let mut client = server.connect()?;
        client.send_and_settle(&encode(number))?;
        client.send(&encode(0))?;
        expect_sum(&mut client, number.into())?;
    }
    Ok(())
}

fn goodbye(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    server.settle(); // it has accepted the client, and waits for its first integer
    server.signal("INT");
    client.expect(b"Goodbye: the server is shutting down")
}

fn two_at_once(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut first = server.connect()?;
    first.send_and_settle(&encode(1))?;
    converse(&mut server.connect()?, &[40, 2])?;
    first.send(&wire(&[0]))?;
    expect_sum(&mut first, 1)
}

fn hundred_at_once(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = Vec::new();
    for number in 1..=100 {
        let mut client = server.connect()?;
        client.send(&encode(number))?;
        clients.push((number, client));
    }
    server.settle();
    for (number, client) in &mut clients {
        client.send(&encode(0))?;
        expect_sum(client, (*number).into())?;
    }
    Ok(())
}

fn own_sums(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = [server.connect()?, server.connect()?];
    for integer in [1, 2, 3] {
        for client in &mut clients {
            client.send_and_settle(&encode(integer))?;
        }
    }
    for client in &mut clients {
        client.send(&encode(0))?;
        expect_sum(client, 6)?;
    }
    Ok(())
}

fn zombies(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    for _ in 0..5 {
        converse(&mut server.connect()?, &[40, 2])?;
    }
    server.expect_no_zombies()
}

fn ctrl_c_many(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = server.connect()?;
        client.send_and_settle(&encode(40))?;
        clients.push(client);
    }
    server.expect_clean_end_by("INT")?;
    server.expect_no_children()
}
