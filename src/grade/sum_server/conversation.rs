//! The conversation: what is sent, how it is cut, and the answer.

use super::{converse, expect_sum, wire};
use crate::grade::{Check, Lab, Verdict};
use crate::sum::protocol::{Reply, encode};

pub(super) const CHECKS: &[Check] = &[
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
        about: "nothing is answered before the 0, nor without one",
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
        cause: "one read was taken for one integer: a stream has no borders, one read may \
                bring many",
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
];

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
    client.end_sending();
    let silent = client.expect_no_answer();
    silent.map_err(|fault| fault.because(NO_ANSWER))
}

const NO_ANSWER: &str =
    "the end of the stream is taken for a 0: without a 0 there is no answer, only the close";

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
    for (integers, sum) in [
        (vec![40, 2, 0], 42),
        ([vec![7; 1000], vec![0]].concat(), 7000),
    ] {
        let mut client = server.connect()?;
        server.pause(); // so that all of it is there when the server reads
        client.send(&wire(&integers))?;
        server.resume();
        expect_sum(&mut client, sum)?;
    }
    Ok(())
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
