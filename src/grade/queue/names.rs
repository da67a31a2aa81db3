//! A queue has limits, and a name until it is unlinked.

use super::{create, expect_failure, expect_received, run};
use crate::grade::copy_sharedmem::expect_no_objects;
use crate::grade::{Check, Lab, Verdict};

pub(super) const CHECKS: &[Check] = &[
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
];

fn too_long(lab: &Lab) -> Verdict {
    create(lab, "--message-size 8")?;
    run(lab, "send /name 12345678")?;
    expect_failure(lab, "send /name 123456789", "EMSGSIZE")?;
    expect_received(lab, &["12345678"])
}

fn not_there(lab: &Lab) -> Verdict {
    expect_failure(lab, "send /name hello", "ENOENT")?;
    expect_failure(lab, "receive /name", "ENOENT")
}

fn existing(lab: &Lab) -> Verdict {
    create(lab, "")?;
    run(lab, "send /name hello")?;
    expect_failure(lab, "create /name", "EEXIST")?;
    expect_received(lab, &["hello"])
}

fn unlink(lab: &Lab) -> Verdict {
    create(lab, "")?;
    run(lab, "send /name hello")?;
    run(lab, "unlink /name")?;
    expect_no_objects(lab)?;
    expect_failure(lab, "receive /name --non-blocking", "ENOENT")
}
