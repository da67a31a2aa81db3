//! `queue`: note 4's message queue, the student's own, behind the command words of `ipc queue`.

use super::copy_sharedmem::{Sweep, expect_no_objects};
use super::{Assignment, Check, Fault, Lab, Running, Verdict, running::show_end};
use crate::process::Stream;

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "queue",
    about: "a message queue with priorities, kept until it is unlinked",
    chapter: "8",
    example: "./queue",
    page: include_str!("../../docs/assignments/queue.md"),
    checks: &[CHECKS],
};

const CHECKS: &[Check] = &[
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
    Check {
        name: "receiver-waits",
        points: 2,
        about: "a receiver waits for a message",
        cause: "an empty queue is an error only for who does not want to wait",
        run: receiver_waits,
    },
    Check {
        name: "sender-waits",
        points: 1,
        about: "a sender waits for room",
        cause: "a full queue is an error only for who does not want to wait, or nobody wakes the sender",
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
    Check {
        name: "too-long",
        points: 1,
        about: "a message of the queue's message size is sent, one byte more is an error (EMSGSIZE)",
        cause: "the message is cut to what fits, or the limit is one off",
        run: too_long,
    },
    Check {
        name: "not-there",
        points: 1,
        about: "a queue that does not exist is an error (ENOENT)",
        cause: "it is made where it should only be opened (O_CREAT)",
        run: not_there,
    },
    Check {
        name: "existing",
        points: 1,
        about: "a queue that exists is not made again (EEXIST), and keeps its messages",
        cause: "O_EXCL is missing, or the object is truncated",
        run: existing,
    },
    Check {
        name: "unlink",
        points: 1,
        about: "what is unlinked is gone, and nothing of it is left in /dev/shm",
        cause: "unlink forgets one of its objects: semaphores have names of their own",
        run: unlink,
    },
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

/// Starts the student's program with these words; `/name` stands for the queue's name.
fn start<'a>(lab: &'a Lab, words: &str) -> Result<Running<'a>, Fault> {
    let name = format!("/{}", lab.name());
    let words: Vec<_> = words
        .split(' ')
        .map(|word| word.replace("/name", &name))
        .collect();
    lab.start_with(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Runs it to its end, expects success, and returns what it printed.
fn run(lab: &Lab, words: &str) -> Result<String, Fault> {
    let program = start(lab, words)?;
    program.expect_end(0).map_err(|fault| fault.given(words))?;
    Ok(program.printed(Stream::Stdout))
}

/// Runs it to its end, and expects failure.
fn expect_failure(lab: &Lab, words: &str, error: &str) -> Verdict {
    let status = start(lab, words)?
        .wait()
        .map_err(|fault| fault.given(words))?;
    match status.code() {
        Some(1..) => Ok(()),
        _ => Err(Fault::new("it does not say that it failed")
            .given(words)
            .expected(format!("{error}: a message on stderr, and exit code 1"))
            .came(show_end(status))),
    }
}

fn expect_received(lab: &Lab, expected: &[&str]) -> Verdict {
    let words = format!("receive /name --count {}", expected.len());
    let printed = run(lab, &words)?;
    let expected: String = expected.iter().map(|line| format!("{line}\n")).collect();
    match printed == expected {
        true => Ok(()),
        false => Err(
            Fault::new("other messages are received, or in another order")
                .given(words)
                .compared(expected.as_bytes(), printed.as_bytes()),
        ),
    }
}

/// Makes a queue that is removed, whatever the program does, when the check ends.
fn create<'a>(lab: &'a Lab<'a>, options: &str) -> Result<Sweep<'a>, Fault> {
    let sweep = Sweep(lab);
    run(lab, format!("create /name {options}").trim_end())?;
    Ok(sweep)
}

fn send_and_receive(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    run(lab, "send /name hello")?;
    expect_received(lab, &["hello"])?;
    run(lab, "unlink /name").map(drop)
}

fn empty_message(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    run(lab, "send /name ")?;
    expect_received(lab, &[""])
}

fn first_in_first_out(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    for message in ["one", "two", "three"] {
        run(lab, &format!("send /name {message}"))?;
    }
    expect_received(lab, &["one", "two", "three"])
}

fn priority(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    for (message, priority) in [("low", 1), ("high", 9), ("also-high", 9), ("middle", 5)] {
        run(lab, &format!("send /name {message} --priority {priority}"))?;
    }
    expect_received(lab, &["high", "also-high", "middle", "low"])
}

fn receiver_waits(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    let receiver = start(lab, "receive /name")?;
    receiver.settle();
    run(lab, "send /name hello")?;
    receiver.expect_printed(Stream::Stdout, "hello\n")?;
    receiver.expect_end(0)
}

fn sender_waits(lab: &Lab) -> Verdict {
    let _queue = create(lab, "--max-messages 1")?;
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
    let _queue = create(lab, "--max-messages 2")?;
    for message in ["one", "two"] {
        run(lab, &format!("send /name {message} --non-blocking"))?;
    }
    expect_failure(lab, "send /name three --non-blocking", "EAGAIN")
}

fn empty(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    expect_failure(lab, "receive /name --non-blocking", "EAGAIN")
}

fn timeout(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    let receiver = start(lab, "receive /name --timeout 1")?;
    receiver.settle();
    if receiver.has_ended() {
        return Err(Fault::new("it does not wait for a second").given("receive --timeout 1"));
    }
    drop(receiver);
    expect_failure(lab, "receive /name --timeout 1", "ETIMEDOUT")
}

fn too_long(lab: &Lab) -> Verdict {
    let _queue = create(lab, "--message-size 8")?;
    run(lab, "send /name 12345678")?;
    expect_failure(lab, "send /name 123456789", "EMSGSIZE")?;
    expect_received(lab, &["12345678"])
}

fn not_there(lab: &Lab) -> Verdict {
    let _sweep = Sweep(lab);
    expect_failure(lab, "send /name hello", "ENOENT")?;
    expect_failure(lab, "receive /name", "ENOENT")
}

fn existing(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    run(lab, "send /name hello")?;
    expect_failure(lab, "create /name", "EEXIST")?;
    expect_received(lab, &["hello"])
}

fn unlink(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    run(lab, "send /name hello")?;
    run(lab, "unlink /name")?;
    expect_no_objects(lab)?;
    expect_failure(lab, "receive /name --non-blocking", "ENOENT")
}

fn many(lab: &Lab) -> Verdict {
    const EACH: usize = 25;
    let _queue = create(lab, "")?;
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
    let _queue = create(lab, "")?;
    let killed = start(lab, "receive /name")?;
    killed.settle();
    killed.end_by("KILL")?;
    run(lab, "send /name hello")?;
    expect_received(lab, &["hello"])
}

fn ctrl_c(lab: &Lab) -> Verdict {
    let _queue = create(lab, "")?;
    let receiver = start(lab, "receive /name")?;
    receiver.settle();
    receiver.expect_clean_end_by("INT")
}
