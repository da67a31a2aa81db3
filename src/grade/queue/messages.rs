//! What is sent is received, in order.

use super::{create, expect_failure, expect_received, run};
use crate::grade::{Check, Lab, Verdict};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "send-and-receive",
        points: 2,
        about: "one process sends a message, another receives it",
        cause: "the queue is gone with the process that made it: it has to be a named object",
        run: send_and_receive,
    },
    Check {
        name: "empty-message",
        points: 1,
        about: "a message may be empty",
        cause: "a length of 0 is taken for no message",
        run: empty_message,
    },
    Check {
        name: "first-in-first-out",
        points: 2,
        about: "messages come out in the order in which they went in",
        cause: "the newest is taken first: a stack",
        run: first_in_first_out,
    },
    Check {
        name: "priority",
        points: 2,
        about: "the highest priority comes first, and within one the oldest",
        cause: "the order is that of the priorities reversed, or the order within one priority is lost",
        run: priority,
    },
];

fn send_and_receive(lab: &Lab) -> Verdict {
    create(lab, "")?;
    run(lab, "send /name hello")?;
    expect_received(lab, &["hello"])?;
    run(lab, "unlink /name").map(drop)
}

fn empty_message(lab: &Lab) -> Verdict {
    create(lab, "")?;
    run(lab, "send /name ")?;
    expect_received(lab, &[""])
}

fn first_in_first_out(lab: &Lab) -> Verdict {
    create(lab, "")?;
    for message in ["one", "two", "three"] {
        run(lab, &format!("send /name {message}"))?;
    }
    expect_received(lab, &["one", "two", "three"])
}

fn priority(lab: &Lab) -> Verdict {
    create(lab, "")?;
    for (message, priority) in [("low", 1), ("high", 9), ("also-high", 9), ("middle", 5)] {
        run(lab, &format!("send /name {message} --priority {priority}"))?;
    }
    expect_failure(lab, "send /name too-high --priority 70000", "EINVAL").map_err(|fault| {
        fault.because(
            "a priority is at most 32767, and 70000 is not 4464: look at it before it is kept",
        )
    })?;
    expect_received(lab, &["high", "also-high", "middle", "low"])
}
