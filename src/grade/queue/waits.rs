//! A process that has to wait waits, unless it asked not to.

use super::{create, expect_failure, expect_received, run, start};
use crate::grade::{Check, Fault, Lab, Verdict};
use crate::harness::Stream;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "receiver-waits",
        points: 2,
        about: "a receiver waits for a message",
        cause: "an empty queue is an error only with --non-blocking",
        run: receiver_waits,
    },
    Check {
        name: "sender-waits",
        points: 1,
        about: "a sender waits for room",
        cause: "a full queue is an error only with --non-blocking, or the sender is never woken",
        run: sender_waits,
    },
    Check {
        name: "full",
        points: 1,
        about: "with --non-blocking, a full queue is an error (EAGAIN)",
        cause: "the limit of messages is not kept, or the exit code is 0 all the same",
        run: full,
    },
    Check {
        name: "empty",
        points: 1,
        about: "with --non-blocking, an empty queue is an error (EAGAIN)",
        cause: "it waits all the same, or the exit code is 0",
        run: empty,
    },
    Check {
        name: "timeout",
        points: 1,
        about: "with --timeout 1, an empty queue is an error after a second (ETIMEDOUT)",
        cause: "the time is not counted, or the clock is another than that of the call",
        run: timeout,
    },
];

fn receiver_waits(lab: &Lab) -> Verdict {
    create(lab, "")?;
    let receiver = start(lab, "receive /name")?;
    receiver.settle();
    run(lab, "send /name hello")?;
    receiver.expect_printed(Stream::Stdout, "hello\n")?;
    receiver.expect_end(0)
}

fn sender_waits(lab: &Lab) -> Verdict {
    create(lab, "--max-messages 1")?;
    run(lab, "send /name one")?;
    let sender = start(lab, "send /name two")?;
    sender.settle();
    if sender.has_ended() {
        return Err(Fault::new("a sender does not wait for room")
            .given("create --max-messages 1, and two sends"));
    }
    expect_received(lab, &["one"])?;
    sender.expect_end(0)?;
    expect_received(lab, &["two"])
}

fn full(lab: &Lab) -> Verdict {
    create(lab, "--max-messages 2")?;
    for message in ["one", "two"] {
        run(lab, &format!("send /name {message} --non-blocking"))?;
    }
    expect_failure(lab, "send /name three --non-blocking", "EAGAIN")
}

fn empty(lab: &Lab) -> Verdict {
    create(lab, "")?;
    run(lab, "send /name hello")?;
    run(lab, "receive /name --non-blocking")?; // it knows the option
    expect_failure(lab, "receive /name --non-blocking", "EAGAIN")
}

fn timeout(lab: &Lab) -> Verdict {
    create(lab, "")?;
    run(lab, "send /name hello")?;
    run(lab, "receive /name --timeout 1")?; // it knows the option
    let receiver = start(lab, "receive /name --timeout 1")?;
    receiver.settle();
    if receiver.has_ended() {
        return Err(Fault::new("it does not wait for a second").given("receive --timeout 1"));
    }
    drop(receiver);
    expect_failure(lab, "receive /name --timeout 1", "ETIMEDOUT")
}
