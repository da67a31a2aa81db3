//! File copy, by sockets and by shared memory (chapters 5 and 6).

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use super::{Scene, Theatre};
use crate::copy::s1_race;
use crate::support::unlink_on_drop::create_private_dir;

pub(super) const SCENES: &[Scene] = &[
    Scene {
        name: "copy-plain",
        chapter: "5",
        about: "the file of a killed plain server is in the next one's way",
        play: by_plain_sockets,
    },
    Scene {
        name: "copy-socket",
        chapter: "5",
        about: "two clients get a file from one server",
        play: by_sockets,
    },
    Scene {
        name: "copy-race",
        chapter: "6",
        about: "two processes share memory, without order and with it",
        play: race,
    },
    Scene {
        name: "copy-sharedmem",
        chapter: "6",
        about: "two receivers read what a sender writes once",
        play: by_shared_memory,
    },
];

const LEN: usize = 4 << 20;

fn by_plain_sockets(theatre: &Theatre) -> io::Result<()> {
    let bytes = make_file(theatre)?;
    let plain = ["copy", "socket", "server", "file", "--stage", "1"];
    let mut killed = theatre.start("server 1", &plain)?;
    killed.says("listening on")?;
    fs::create_dir(theatre.path("c"))?;
    let words = ["copy", "socket", "client", "--stage", "1", "--output", "c"];
    let mut client = theatre.start("client", &words)?;
    client.says("copied to")?;
    client.ends(Some(0))?;
    killed.gets("KILL")?;
    killed.ends(None)?;
    let mut next = theatre.start("server 2", &plain)?;
    next.says("Address already in use")?;
    next.ends(Some(1))?;
    let same = is_copy(theatre, "c", &bytes);
    theatre.check("the copy is the same as the file", same)
}

fn by_sockets(theatre: &Theatre) -> io::Result<()> {
    let bytes = make_file(theatre)?;
    let words = ["copy", "socket", "server", "file", "--peers", "2"];
    let mut server = theatre.start("server", &words)?;
    server.says("listening on")?;
    let client = |name, output| {
        create_private_dir(&theatre.path(output))?;
        theatre.start(name, &["copy", "socket", "client", "--output", output])
    };
    let (mut first, mut second) = (client("client 1", "a")?, client("client 2", "b")?);
    first.says("copied to")?;
    second.says("copied to")?;
    first.ends(Some(0))?;
    second.ends(Some(0))?;
    server.says("has all 4194304 bytes")?;
    server.ends(Some(0))?;
    let same = |output| is_copy(theatre, output, &bytes);
    theatre.check(
        "both copies are the same as the file",
        same("a") && same("b"),
    )?;
    theatre.check(
        "no socket file is left",
        !theatre.path("copy.sock").exists(),
    )
}

/// How long a killed process may take to die.
const GRACE: Duration = Duration::from_millis(500);

fn race(theatre: &Theatre) -> io::Result<()> {
    let played = play_race(theatre);
    let interrupted = Instant::now();
    while s1_race::remove_left()? > 0 && interrupted.elapsed() < GRACE {
        thread::sleep(Duration::from_millis(1)); // a second process, just starting, has the lock, too; it soon dies
    }
    played
}

fn play_race(theatre: &Theatre) -> io::Result<()> {
    make_file(theatre)?;
    for (words, verdict) in [
        (&["copy", "race"][..], "updates were lost"),
        (&["copy", "race", "--semaphores"], "no update was lost"),
        (&["copy", "race", "file"], "the copy differs"),
        (
            &["copy", "race", "file", "--semaphores"],
            "the copy is the same",
        ),
    ] {
        let mut pair = theatre.start("two", words)?;
        pair.prints("")?;
        pair.prints(verdict)?;
        pair.ends(Some(0))?;
    }
    Ok(())
}

fn by_shared_memory(theatre: &Theatre) -> io::Result<()> {
    let bytes = make_file(theatre)?;
    let name = theatre.name();
    let receiver = |actor, output| {
        create_private_dir(&theatre.path(output))?;
        let words = ["copy", "sharedmem", "receiver", "--output", output];
        theatre.start(actor, &[&words[..], &["--name", &name]].concat())
    };
    let mut first = receiver("recv 1", "a")?;
    first.says("waiting 10 s for a sender")?;
    first.gets("STOP")?;
    let small = ["--slots", "2", "--slot-size", "65536", "--receivers", "2"];
    let words = ["copy", "sharedmem", "sender", "file", "--name", &name];
    let mut sender = theatre.start("sender", &[&words[..], &small].concat())?;
    sender.says("sending as")?;
    let mut second = receiver("recv 2", "b")?;
    first.gets("CONT")?;
    first.says("copied to")?;
    second.says("copied to")?;
    first.ends(Some(0))?;
    second.ends(Some(0))?;
    sender.ends(Some(0))?;
    let same = |output| is_copy(theatre, output, &bytes);
    theatre.check(
        "both copies are the same as the file",
        same("a") && same("b"),
    )?;
    let left = crate::shm::path(&name)?.exists();
    theatre.check("no segment is left in /dev/shm", !left)
}

fn make_file(theatre: &Theatre) -> io::Result<Vec<u8>> {
    let bytes: Vec<u8> = (0u32..).flat_map(u32::to_ne_bytes).take(LEN).collect();
    let file = theatre.path("file");
    fs::write(&file, &bytes)?;
    fs::set_permissions(&file, Permissions::from_mode(0o600))?; // whatever the umask
    Ok(bytes)
}

fn is_copy(theatre: &Theatre, output: &str, bytes: &[u8]) -> bool {
    fs::read(theatre.path(output).join("file")).is_ok_and(|copy| copy == bytes)
}
