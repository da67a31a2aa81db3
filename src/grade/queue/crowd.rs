//! Many processes use a queue, and some of them end.

use super::{create, expect_received, run, start};
use crate::grade::{Check, Fault, Lab, Verdict};
use crate::harness::Stream;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "many",
        points: 2,
        about: "of 100 messages of 4 senders at once none is lost, doubled or torn",
        cause: "two processes change the queue at the same time: it needs a lock, in shared memory",
        run: many,
    },
    Check {
        name: "receiver-killed",
        points: 2,
        about: "a receiver that is killed while it waits harms nobody",
        cause: "it had a lock, or took the wake-up that was meant for another: look whether a holder is alive",
        run: receiver_killed,
    },
    Check {
        name: "ctrl-c",
        points: 1,
        about: "Ctrl-C ends a receiver that waits, with exit code 0",
        cause: "the wait goes on after SIGINT",
        run: ctrl_c,
    },
];

fn many(lab: &Lab) -> Verdict {
    const EACH: usize = 25;
    create(lab, "")?;
    let receiver = start(lab, &format!("receive /name --count {}", 4 * EACH))?;
    let mut senders = Vec::new();
    for number in 0..4 {
        let sender = start(lab, "send /name -")?;
        let lines: String = (0..EACH)
            .map(|line| format!("sender {number}, line {line}\n"))
            .collect();
        sender.feed(lines.as_bytes())?;
        sender.end_input();
        senders.push(sender);
    }
    senders.iter().try_for_each(|sender| sender.expect_end(0))?;
    receiver.expect_end(0)?;
    let printed = receiver.printed(Stream::Stdout);
    if printed.lines().count() != 4 * EACH {
        return Err(
            Fault::new("it prints lines that are no messages, or not all messages")
                .expected(format!("{} lines", 4 * EACH))
                .came(format!("{} lines", printed.lines().count())),
        );
    }
    for number in 0..4 {
        let prefix = format!("sender {number}, line ");
        let own = printed
            .lines()
            .filter_map(|line| line.strip_prefix(&prefix));
        if !own.eq((0..EACH).map(|line| line.to_string())) {
            return Err(Fault::new(format!(
                "the messages of sender {number} are not all there, in order"
            ))
            .expected(format!("{prefix}0, and so on to line {}", EACH - 1)));
        }
    }
    Ok(())
}

fn receiver_killed(lab: &Lab) -> Verdict {
    create(lab, "")?;
    let killed = start(lab, "receive /name")?;
    killed.settle();
    killed.end_by("KILL")?;
    run(lab, "send /name hello")?;
    expect_received(lab, &["hello"])
}

fn ctrl_c(lab: &Lab) -> Verdict {
    create(lab, "")?;
    let receiver = start(lab, "receive /name")?;
    receiver.settle();
    receiver.expect_clean_end_by("INT")
}
