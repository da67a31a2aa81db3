//! `copy-sharedmem`: note 3's sender and receivers, by shared memory. Both are the student's; they are judged
//! from outside: by the bytes, by the objects in `/dev/shm`, and by how they end.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::copy_server::write_sparse;
use super::{Assignment, Check, Fault, Lab, Running, Verdict};
use crate::support::unlink_on_drop::create_private_dir;

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "copy-sharedmem",
    about: "a sender and receivers that copy a file through shared memory",
    chapter: "6",
    example: "./copy",
    page: include_str!("../../docs/assignments/copy-sharedmem.md"),
    checks: &[("one-receiver", CHECKS)],
};

const CHECKS: &[Check] = &[
    Check {
        name: "one-receiver",
        points: 2,
        about: "a receiver gets the file, and both end with exit code 0",
        cause: "sender and receiver do not open the same object, or one waits for the other for ever",
        run: one_receiver,
    },
    Check {
        name: "receiver-first",
        points: 1,
        about: "a receiver that is started before its sender waits for it",
        cause: "shm_open without O_CREAT fails if the sender has not made the object: try again for a while",
        run: receiver_first,
    },
    Check {
        name: "empty",
        points: 1,
        about: "an empty file is copied, too",
        cause: "no slot is ever filled, so nobody is woken: the end needs a mark of its own",
        run: empty,
    },
    Check {
        name: "large",
        points: 2,
        about: "3 MiB and 1 byte arrive byte for byte",
        cause: "the last, partly filled slot is written in full or not at all, or a slot is overwritten before it was read",
        run: large,
    },
    Check {
        name: "three-receivers",
        points: 2,
        about: "three receivers get the whole file each",
        cause: "the receivers take the slots away from each other: each needs a cursor (and semaphores) of its own",
        run: three_receivers,
    },
    Check {
        name: "bounded",
        points: 2,
        about: "a file of 64 MiB takes at most 32 MiB of shared memory",
        cause: "the object is as large as the file, so nothing is copied at the same time: use a ring of slots again and again",
        run: bounded,
    },
    Check {
        name: "leaves-nothing",
        points: 2,
        about: "at the end nothing of it is left in /dev/shm",
        cause: "shm_unlink or sem_unlink is not called",
        run: leaves_nothing,
    },
    Check {
        name: "receiver-killed",
        points: 2,
        about: "when a receiver is killed, the others get the whole file",
        cause: "the sender waits for a semaphore that nobody posts any more: look whether the receiver is alive",
        run: receiver_killed,
    },
    Check {
        name: "sender-killed",
        points: 2,
        about: "when the sender is killed, a receiver says so, leaves no file, and ends with exit code 1",
        cause: "the receiver waits for a semaphore that nobody posts any more, or keeps what it has",
        run: sender_killed,
    },
    Check {
        name: "ctrl-c",
        points: 1,
        about: "Ctrl-C ends a sender that waits for its receivers, and nothing is left",
        cause: "sem_wait goes on after SIGINT, or the objects are not unlinked on the way out",
        run: ctrl_c,
    },
];

/// Starts the student's sender for this many receivers.
fn send<'a>(lab: &'a Lab, receivers: u32) -> Result<Running<'a>, Fault> {
    let (file, count) = (lab.file(), receivers.to_string());
    let file = file.to_string_lossy();
    lab.start_with(&["sender", &file, "--receivers", &count, "--name", lab.name()])
}

/// Starts one of the student's receivers, with a directory of its own.
fn receive<'a>(lab: &'a Lab, number: u32) -> Result<Running<'a>, Fault> {
    let directory = directory(lab, number);
    create_private_dir(&directory)?;
    lab.give(&directory)?;
    lab.start_with(&[
        "receiver",
        "--output",
        &directory.to_string_lossy(),
        "--name",
        lab.name(),
    ])
}

fn directory(lab: &Lab, number: u32) -> PathBuf {
    lab.dir().join(number.to_string())
}

fn expect_copy(lab: &Lab, number: u32, expected: &[u8]) -> Verdict {
    let path = directory(lab, number).join("file");
    let found = fs::read(&path).map_err(|_| {
        Fault::new(format!("receiver {number} has written no file"))
            .expected(path.display().to_string())
    })?;
    match found == expected {
        true => Ok(()),
        false => Err(Fault::new(format!(
            "the file of receiver {number} is not that of the sender"
        ))
        .compared(expected, &found)),
    }
}

/// A whole copy to this many receivers.
fn copy(lab: &Lab, receivers: u32, bytes: &[u8]) -> Verdict {
    fs::write(lab.file(), bytes)?;
    let sender = send(lab, receivers)?;
    let started: Result<Vec<_>, _> = (0..receivers).map(|number| receive(lab, number)).collect();
    let started = started?;
    sender.expect_end(0)?;
    for receiver in started {
        receiver.expect_end(0)?;
    }
    (0..receivers).try_for_each(|number| expect_copy(lab, number, bytes))
}

/// The objects whose names contain the given name.
fn objects(lab: &Lab) -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    let own = entries.filter(|entry| entry.file_name().to_string_lossy().contains(lab.name()));
    own.map(|entry| entry.path()).collect()
}

/// Expects that no object is left, and removes those that are.
pub(super) fn expect_no_objects(lab: &Lab) -> Verdict {
    let left = objects(lab);
    left.iter().for_each(|object| drop(fs::remove_file(object)));
    let names: Vec<_> = left
        .iter()
        .filter_map(|object| object.file_name()?.to_str())
        .collect();
    match names[..] {
        [] => Ok(()),
        _ => Err(Fault::new("something is left in /dev/shm")
            .expected("nothing with that name")
            .came(names.join(", "))),
    }
}

fn one_receiver(lab: &Lab) -> Verdict {
    copy(lab, 1, b"hello, world\n")
}

fn receiver_first(lab: &Lab) -> Verdict {
    let receiver = receive(lab, 0)?;
    receiver.settle();
    let sender = send(lab, 1)?;
    receiver.expect_end(0)?;
    sender.expect_end(0)?;
    expect_copy(lab, 0, b"hello, world\n")
}

fn empty(lab: &Lab) -> Verdict {
    copy(lab, 1, b"")
}

fn large(lab: &Lab) -> Verdict {
    copy(lab, 1, &lab.random().bytes((3 << 20) + 1))
}

fn three_receivers(lab: &Lab) -> Verdict {
    copy(lab, 3, &lab.random().bytes((1 << 20) + 1))
}

fn bounded(lab: &Lab) -> Verdict {
    const LENGTH: u64 = 64 << 20;
    write_sparse(lab, LENGTH)?;
    let sender = send(lab, 1)?;
    let receiver = receive(lab, 0)?;
    let size = |object: &PathBuf| fs::metadata(object).map_or(0, |found| found.len());
    let mut most = 0;
    lab.wait_until(|| {
        most = most.max(objects(lab).iter().map(size).sum());
        receiver.has_ended() && sender.has_ended()
    });
    receiver.expect_end(0)?;
    let copied = fs::metadata(directory(lab, 0).join("file")).map_or(0, |found| found.len());
    if copied != LENGTH {
        return Err(Fault::new("the file has another length")
            .expected(LENGTH.to_string())
            .came(copied.to_string()));
    }
    match most {
        0 => Err(Fault::new("nothing stood in /dev/shm")
            .expected("objects with the given name in theirs")),
        _ if most <= 32 << 20 => Ok(()),
        _ => Err(Fault::new("its shared memory grows with the file")
            .expected("32 MiB at most")
            .came("more")),
    }
}

fn leaves_nothing(lab: &Lab) -> Verdict {
    copy(lab, 2, b"hello, world\n")?;
    expect_no_objects(lab)
}

fn receiver_killed(lab: &Lab) -> Verdict {
    let bytes = lab.random().bytes(8 << 20);
    fs::write(lab.file(), &bytes)?;
    let sender = send(lab, 2)?;
    let other = receive(lab, 0)?;
    let killed = receive(lab, 1)?;
    let directory = directory(lab, 1);
    lab.wait_until(|| has_received(&directory) || sender.has_ended() || killed.has_ended());
    killed.end_by("KILL")?;
    other.expect_end(0)?;
    expect_copy(lab, 0, &bytes)
}

/// Whether a file in the directory holds bytes of the copy. A file alone proves nothing: a receiver may make it
/// before it joins, and a program killed before that was never a receiver.
fn has_received(directory: &Path) -> bool {
    let mut files = fs::read_dir(directory).into_iter().flatten().flatten();
    files.any(|file| {
        let mut begin = [0; 512];
        let read = fs::File::open(file.path()).and_then(|mut file| file.read(&mut begin));
        read.is_ok() && begin != [0; 512]
    })
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}

fn sender_killed(lab: &Lab) -> Verdict {
    let sender = send(lab, 2)?; // one of the two receivers never comes
    lab.wait_until(|| !objects(lab).is_empty() || sender.has_ended());
    sender.settle();
    let receiver = receive(lab, 0)?;
    receiver.settle(); // it has found its sender, and both wait for the other receiver
    sender.end_by("KILL")?;
    receiver.expect_end(1)?;
    match is_empty(&directory(lab, 0)) {
        true => expect_no_objects(lab).map_err(|fault| {
            fault.because("the sender can unlink nothing any more: its last receiver has to")
        }),
        false => Err(Fault::new("a file is left of a copy that was broken off")
            .expected("an empty directory")),
    }
}

fn ctrl_c(lab: &Lab) -> Verdict {
    let sender = send(lab, 1)?;
    lab.wait_until(|| !objects(lab).is_empty() || sender.has_ended());
    sender.settle();
    sender.expect_clean_end_by("INT")?;
    expect_no_objects(lab)
}
