//! Many clients: some that leave too early, a hundred in a row, and all at the same time.

use super::{converse, expect_sum, wire};
use crate::grade::{Check, Lab, Verdict, watch};
use crate::sum::protocol::encode;

pub(super) const IN_TURN: &[Check] = &[
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

pub(super) const AT_ONCE: &[Check] = &[
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

fn client_vanishes(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    converse(&mut server.connect()?, &[40, 2])?;
    server.settle();
    let before = watch::descriptors(server.pid());
    converse(&mut server.connect()?, &[40, 2])?;
    server.settle();
    let leaks_all = watch::descriptors(server.pid()) > before; // such a leak is another check's business
    for count in [0, 2, 8].repeat(3) {
        let mut client = server.connect()?;
        client.send_and_settle(&wire(&[1, 2])[..count])?;
        drop(client);
        server.settle(); // and so that a server that this ends has ended before the next request
    }
    converse(&mut server.connect()?, &[40, 2])?;
    match leaks_all {
        true => Ok(()),
        false => server.expect_descriptors(before),
    }
}

fn sigpipe(lab: &Lab) -> Verdict {
    let server = lab.serve()?;
    let mut client = server.connect()?;
    client.send_and_settle(&encode(40))?;
    server.pause(); // so that the client has closed before the answer is sent
    client.send(&encode(0))?;
    drop(client);
    server.resume();
    server.settle(); // and so that a server that this kills is dead before the next request
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
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = server.connect()?;
        client.send_and_settle(&encode(42))?;
        clients.push(client);
    }
    server.pause_first(); // so that all of its children end before it can wait for the first
    for client in &mut clients {
        client.send(&encode(0))?;
    }
    server.settle();
    server.resume();
    for client in &mut clients {
        expect_sum(client, 42)?;
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
