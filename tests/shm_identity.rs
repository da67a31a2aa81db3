//! Processes that are dead, and processes that only cannot be seen: nothing is taken from one that may live.
//!
//! The other processes are this test's own program: it starts itself with the name of a segment and
//! what to do there, and runs the "test" `child` alone.

mod common;

use std::io::{self, ErrorKind};
use std::process::{self, Command};
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, thread};

use common::{Place, copy_program, has_tool, text};
use ipc_primer::harness::{Identity, Program, Stream::Stdout, state};
use ipc_primer::shm::ring::{Receiver, Sender, Shape};
use ipc_primer::shm::{Fault, Format, Lifetime, Lock, Segment, SegmentLayout, fault_of, path};
use ipc_primer::signals::dispositions;
use ipc_primer::stop::StopToken;
use nix::sys::resource::{Resource, setrlimit};

const FORMAT: Format = Format {
    kind: *b"identity",
    version: 1,
};
/// A name that ends in half a letter and looks like the end of a zombie's.
const ODD_NAME: &[u8] = b"a) Z 1 (\xc3";
/// A little longer than a ring's sender waits before it looks whether a receiver lives.
const MORE_THAN_A_LOOK: Duration = Duration::from_millis(400);

fn create(test: &str) -> (String, Arc<Segment>) {
    let layout = SegmentLayout {
        format: FORMAT,
        words: 1,
        wait_slots: 4,
        lifetime: Lifetime::Owner,
    };
    let name = format!("identity-{test}-{}", process::id());
    let segment = Segment::create(&name, layout, |_| ()).unwrap();
    (name, Arc::new(segment))
}

fn lock(segment: &Arc<Segment>) -> Lock {
    Lock::new(segment, 0, 0..4)
}

/// Starts a process that does `what` in the segment, by way of `runner` if there is one.
fn start(runner: &[&str], what: &str, name: &str) -> Program {
    let own = env::current_exe().unwrap();
    let mut words = runner.to_vec();
    words.push(own.to_str().unwrap());
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env("SHM_CHILD", what)
        .env("SHM_NAME", name);
    Program::start(&mut command).unwrap()
}

/// No test: what the processes of the tests do.
#[test]
fn child() {
    let Ok(what) = env::var("SHM_CHILD") else {
        return;
    };
    let name = env::var("SHM_NAME").unwrap();
    match what.as_str() {
        "hold" => {
            fs::write("/proc/self/comm", ODD_NAME).unwrap();
            let segment = Arc::new(Segment::open(&name, FORMAT).unwrap());
            let lock = lock(&segment);
            let _held = lock.lock(None, &StopToken::new()).unwrap();
            println!("\nholds");
            io::stdin().read_line(&mut String::new()).unwrap();
        }
        "lock without descriptors" => try_to_lock(&name, use_up_descriptors),
        "lock without proc" => try_to_lock(&name, hide_proc),
        "send without descriptors" => send_until_stopped(&name),
        "open without descriptors" => {
            use_up_descriptors();
            println!("\n{}", Segment::open(&name, FORMAT).unwrap_err());
        }
        other => panic!("{other}"),
    }
}

fn use_up_descriptors() {
    setrlimit(Resource::RLIMIT_NOFILE, 0, 0).unwrap();
}

fn hide_proc() {
    let mut mount = Command::new("mount");
    let mounted = mount.args(["-t", "tmpfs", "tmpfs", "/proc"]).status();
    assert!(mounted.unwrap().success());
}

fn try_to_lock(name: &str, go_blind: fn()) {
    let segment = Arc::new(Segment::open(name, FORMAT).unwrap());
    go_blind();
    let limit = Some(Duration::from_millis(20));
    let lock = lock(&segment);
    let locked = lock.lock(limit, &StopToken::new());
    println!("\n{:?}", locked.map(drop).map_err(|error| error.kind()));
}

/// Says why it stopped: because it was told to, unless it gave up the receiver.
fn send_until_stopped(name: &str) {
    let shape = Shape {
        slots: 1,
        slot_len: 8,
        receivers: 1,
    };
    let mut sender = Sender::create(name, shape, b"").unwrap();
    println!("\nmade");
    let stop = StopToken::new();
    sender.wait_for_receivers(&stop).unwrap();
    sender.send(b"1", &stop).unwrap();
    use_up_descriptors();
    let token = stop.clone();
    let stopper = thread::spawn(move || {
        thread::sleep(MORE_THAN_A_LOOK);
        token.request_stop();
    });
    let sent = sender.send(b"2", &stop);
    println!("\n{:?}", sent.map_err(|error| error.kind()));
    stopper.join().unwrap();
}

#[test]
fn a_process_without_descriptors_steals_no_lock() {
    let (name, segment) = create("blind");
    let lock = lock(&segment);
    let _held = lock.try_lock().unwrap();
    let mut looker = start(&[], "lock without descriptors", &name);
    looker.wait_for(Stdout, "Err(TimedOut)").unwrap();
}

#[test]
fn a_process_that_lost_sight_of_proc_steals_no_lock() {
    if !can_unshare(&["-rm"]) {
        return;
    }
    let (name, segment) = create("hidden");
    let lock = lock(&segment);
    let _held = lock.try_lock().unwrap();
    let mut looker = start(&["unshare", "-rm"], "lock without proc", &name);
    looker.wait_for(Stdout, "Err(TimedOut)").unwrap();
}

#[test]
fn a_sender_without_descriptors_gives_up_no_receiver_that_lives() {
    let name = format!("identity-ring-{}", process::id());
    let mut sender = start(&[], "send without descriptors", &name);
    sender.wait_for(Stdout, "made").unwrap();
    let _receiver = Receiver::join(&name).unwrap();
    sender.wait_for(Stdout, "Err(Interrupted)").unwrap();
    sender.wait().unwrap();
}

#[test]
fn no_descriptor_left_is_an_error_and_no_panic() {
    let (name, _segment) = create("none-left");
    let mut opener = start(&[], "open without descriptors", &name);
    opener.wait_for(Stdout, "Too many open files").unwrap();
}

#[test]
fn a_process_of_any_name_is_seen() {
    let (name, segment) = create("odd");
    let mut holder = start(&[], "hold", &name);
    holder.wait_for(Stdout, "holds").unwrap();
    let pid = u32::try_from(holder.pid()).unwrap();
    assert!(lock(&segment).try_lock().is_none(), "its holder lives");
    assert!(!Identity::of(pid).unwrap().is_dead());
    assert!(state(pid).is_some());
    assert!(dispositions(pid.into()).is_ok());
    holder.say("end").unwrap();
    holder.wait().unwrap();
    assert!(lock(&segment).try_lock().is_some(), "and is dead now");
}

/// The kernel keeps 15 bytes of a program's name, here seven letters and a half.
#[test]
fn a_program_of_any_name_can_be_used() {
    let place = Place::new();
    let ipc = place.path("ipc-öööööööö");
    copy_program(env!("CARGO_BIN_EXE_ipc").as_ref(), &ipc);
    let queue = format!("/identity-name-{}", process::id());
    for words in [["queue", "create"], ["queue", "unlink"]] {
        let output = place.command(&ipc).args(words).arg(&queue).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

/// Its first thread ends at once, and another goes on until its input ends.
const LEADERLESS: &str = r#"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *run(void *unused) {
    char byte;
    while (read(0, &byte, 1) == 1) {}
    usleep(100000);
    exit(7);
}
int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, run, NULL);
    pthread_exit(NULL);
}
"#;

#[test]
fn a_process_lives_as_long_as_one_of_its_threads() {
    if !has_tool("cc") {
        return;
    }
    let place = Place::new();
    fs::write(place.path("leaderless.c"), LEADERLESS).unwrap();
    let words = ["leaderless.c", "-o", "leaderless", "-pthread"];
    let compiled = place.command("cc").args(words).status();
    assert!(compiled.unwrap().success());
    let mut program = Program::start(&mut place.command(place.path("leaderless"))).unwrap();
    let pid = u32::try_from(program.pid()).unwrap();
    common::wait_until("its first thread has ended", || state(pid) == Some('Z'));
    let identity = Identity::of(pid).unwrap();
    assert!(!identity.is_dead());
    assert!(dispositions(pid.into()).is_ok(), "it still takes signals");
    // It is not killed as the leavings of a program that has ended.
    assert_eq!(program.wait().unwrap().code(), Some(7));
    assert!(identity.is_dead());
}

/// Whether `unshare` can make these namespaces; says so where it cannot.
fn can_unshare(flags: &[&str]) -> bool {
    if !has_tool("unshare") {
        return false;
    }
    let output = Command::new("unshare").args(flags).arg("true").output();
    let output = output.unwrap();
    if !output.status.success() {
        println!("skipped: {}", text(&output.stderr));
    }
    output.status.success()
}

/// What a shell script says in namespaces of its own.
fn say_in(flags: &[&str], script: &str) -> String {
    let place = Place::new();
    let mut command = place.command("unshare");
    command
        .args(flags)
        .args(["sh", "-c", script])
        .env("IPC", env!("CARGO_BIN_EXE_ipc"));
    let output = command.output().unwrap();
    text(&output.stdout).to_owned()
}

const PID: &[&str] = &["-r", "--pid", "--fork", "--mount-proc"];
const TIME: &[&str] = &["-r", "--time", "--boottime", "1000", "--fork"];

#[test]
fn nothing_of_another_namespace_is_used_or_removed() {
    for flags in [PID, TIME].into_iter().filter(|flags| can_unshare(flags)) {
        let queue = format!("/identity-ns-{}", process::id());
        let place = Place::new();
        let run = |words: &[&str]| place.run(words);
        assert!(run(&["queue", "create", &queue]).status.success());
        assert!(run(&["queue", "send", &queue, "kept"]).status.success());
        let said = say_in(
            flags,
            &format!(
                "for what in 'info' 'receive --timeout 1' 'create' 'unlink'; do
                    set -- $what; what=$1; shift
                    \"$IPC\" queue $what {queue} \"$@\" 2>&1 && echo wrong
                done"
            ),
        );
        let refused = said
            .lines()
            .filter(|line| line.contains("in another PID or time namespace"));
        assert_eq!(refused.count(), 4, "{said}");
        assert!(!said.contains("wrong"), "{said}");
        let received = run(&["queue", "receive", &queue]);
        assert_eq!(text(&received.stdout), "kept\n");
        assert!(run(&["queue", "unlink", &queue]).status.success());
    }
}

/// A living sender of another namespace has no pid here: its ring is not one of a dead sender.
#[test]
fn a_ring_of_another_namespace_is_not_taken_for_a_dead_ones() {
    if !can_unshare(PID) {
        return;
    }
    let name = format!("identity-far-{}", process::id());
    let runner = [&["unshare", "--kill-child"], PID].concat();
    let mut sender = start(&runner, "send without descriptors", &name);
    sender.wait_for(Stdout, "made").unwrap();
    let shape = Shape {
        slots: 1,
        slot_len: 8,
        receivers: 1,
    };
    let joined = Receiver::join(&name).map(drop).unwrap_err();
    let made = Sender::create(&name, shape, b"").map(drop).unwrap_err();
    assert_eq!(fault_of(&joined), Some(Fault::OtherNamespace), "{joined}");
    assert_eq!(fault_of(&made), Some(Fault::OtherNamespace), "{made}");
    assert_eq!(made.kind(), ErrorKind::AlreadyExists);
    let file = path(&name).unwrap();
    assert!(file.exists(), "it is the sender's to remove");
    drop(sender); // killed
    fs::remove_file(file).unwrap();
}

/// A command that looks processes up, or names itself by its pid, says what is wrong with `/proc`.
#[test]
fn without_a_proc_of_its_own_namespace_nothing_is_made() {
    let queue = format!("/identity-proc-{}", process::id());
    let script = |first: &str| {
        format!(
            "{first}
            \"$IPC\" queue create {queue} 2>&1 && echo wrong
            \"$IPC\" tour --only sum-sequential 2>&1 && echo wrong
            \"$IPC\" copy race 2>&1 && echo wrong
            true"
        )
    };
    let hide = "mount -t tmpfs tmpfs /proc";
    let cases: [(&[&str], &str); 2] = [(&["-r", "--pid", "--fork"], ""), (&["-rm"], hide)];
    for (flags, first) in cases.into_iter().filter(|(flags, _)| can_unshare(flags)) {
        let said = say_in(flags, &script(first));
        let named = said.lines().filter(|line| line.contains("/proc"));
        assert_eq!(named.count(), 3, "{said}");
        assert!(!said.contains("wrong"), "{said}");
        let file = path(&format!("queue.{}", &queue[1..])).unwrap();
        assert!(!file.exists());
    }
}
