//! What a killed process leaves in shared memory, and that nobody hangs on it.
//!
//! The processes are this test's own program: it starts itself with the name of a segment and what
//! to do there, and runs the "test" `child` alone.

mod common;

use std::process::{self, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use common::wait_until_asleep;
use ipc_primer::harness::{Identity, Program, Stream::Stdout};
use ipc_primer::shm::{Format, Lifetime, Lock, Segment, SegmentLayout, Semaphore, path, unlink};
use ipc_primer::stop::StopToken;

const FORMAT: Format = Format {
    kind: *b"killtest",
    version: 1,
};
const SEATS: usize = 3;

fn create(test: &str) -> (String, Arc<Segment>) {
    let layout = SegmentLayout {
        format: FORMAT,
        words: 2,
        wait_slots: 2 * SEATS,
        lifetime: Lifetime::Owner,
    };
    let name = format!("killed-{test}-{}", process::id());
    let segment = Segment::create(&name, layout, |_| ()).unwrap();
    (name, Arc::new(segment))
}

fn lock(segment: &Arc<Segment>) -> Lock {
    Lock::new(segment, 0, 0..SEATS)
}

fn semaphore(segment: &Arc<Segment>) -> Semaphore {
    Semaphore::new(segment, 1, SEATS..2 * SEATS)
}

/// Starts a process that does `what` in the segment, and says so on stdout.
fn start(what: &str, name: &str) -> Program {
    let mut command = Command::new(env::current_exe().unwrap());
    command
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
    let segment = Arc::new(Segment::open(&env::var("SHM_NAME").unwrap(), FORMAT).unwrap());
    let never = StopToken::new();
    match what.as_str() {
        "hold" => {
            let lock = lock(&segment);
            let _held = lock.lock(None, &never).unwrap();
            println!("\nholds");
            never.wait_timeout(Duration::from_secs(60));
        }
        "wait" => {
            println!("\nwaits");
            semaphore(&segment).wait(&never).unwrap();
            println!("\nwas woken");
        }
        "take turns" => {
            println!("\nruns");
            for _ in 0..u32::MAX {
                semaphore(&segment).wait(&never).unwrap();
                semaphore(&segment).post();
            }
        }
        other => panic!("{other}"),
    }
}

fn kill(mut program: Program) {
    program.signal("KILL").unwrap();
    program.wait().unwrap();
}

#[test]
fn a_lock_whose_holder_was_killed_is_handed_on_with_the_news() {
    let (name, segment) = create("holder");
    let lock = lock(&segment);
    let mut holder = start("hold", &name);
    holder.wait_for(Stdout, "holds").unwrap();
    assert!(lock.try_lock().is_none(), "it is held");
    let short = Some(Duration::from_millis(20));
    let error = lock.lock(short, &StopToken::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    kill(holder);
    let start = Instant::now();
    let held = lock.lock(None, &StopToken::new()).unwrap();
    assert!(held.was_abandoned(), "the next holder has to be told");
    assert!(start.elapsed() < Duration::from_secs(3));
    drop(held);
    assert!(!lock.try_lock().unwrap().was_abandoned(), "and told once");
}

/// `raw_sync`'s event would hang here at the second post: its waiter was killed.
#[test]
fn a_killed_waiter_hangs_nobody_and_its_wait_slot_is_taken_over() {
    let (name, segment) = create("waiter");
    let semaphore = semaphore(&segment);
    for _ in 0..3 {
        let mut waiters: Vec<_> = (0..SEATS).map(|_| start("wait", &name)).collect();
        for waiter in &mut waiters {
            waiter.wait_for(Stdout, "waits").unwrap();
            wait_until_asleep(waiter);
        }
        waiters.into_iter().for_each(kill); // every wait_slot's occupant is dead
        let start_of_posts = Instant::now();
        (0..100).for_each(|_| semaphore.post());
        assert!(start_of_posts.elapsed() < Duration::from_secs(1));
        while semaphore.try_wait() {}
        let mut waiter = start("wait", &name);
        waiter.wait_for(Stdout, "waits").unwrap();
        wait_until_asleep(&waiter);
        semaphore.post();
        waiter.wait_for(Stdout, "was woken").unwrap();
        waiter.wait().unwrap();
    }
}

/// Killed at any moment of waiting and waking. What it may have taken with it is one of the counter;
/// nobody hangs.
#[test]
fn a_process_killed_at_any_moment_hangs_nobody() {
    let (name, segment) = create("moment");
    let semaphore = semaphore(&segment);
    for round in 0..20 {
        let mut killed = start("take turns", &name);
        killed.wait_for(Stdout, "runs").unwrap();
        let end = Instant::now() + Duration::from_micros(500 + 130 * round);
        semaphore.post();
        while Instant::now() < end {
            let limit = Duration::from_millis(1);
            if semaphore.wait_timeout(limit, &StopToken::new()).is_ok() {
                semaphore.post();
            }
        }
        kill(killed);
        while semaphore.try_wait() {}
        let start = Instant::now();
        semaphore.post();
        semaphore.wait(&StopToken::new()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn what_a_killed_maker_left_is_known_by_its_owner() {
    let layout = |lifetime| SegmentLayout {
        format: FORMAT,
        words: 1,
        wait_slots: 1,
        lifetime,
    };
    let (name, segment) = create("maker");
    let error = Segment::create(&name, layout(Lifetime::Owner), |_| ()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}");
    let file = path(&name).unwrap();
    // As if its maker had been another process, which is no more.
    let gone = Identity {
        pid: 1 << 21,
        start: 1,
    };
    let word = ipc_primer::shm::owner::word(gone).to_ne_bytes();
    let write = |at, bytes: &[u8]| {
        use std::os::unix::fs::FileExt;
        let file = fs::File::options().write(true).open(&file).unwrap();
        file.write_all_at(bytes, at).unwrap();
    };
    write(5 * 8, &word);
    drop(Segment::create(&name, layout(Lifetime::Owner), |_| ()).unwrap());
    assert!(!file.exists());
    drop(segment); // it is not its file any more, so there is nothing to remove

    // One that is kept is nobody's to reclaim, whoever made it.
    drop(Segment::create(&name, layout(Lifetime::Kept), |_| ()).unwrap());
    write(5 * 8, &word);
    let error = Segment::create(&name, layout(Lifetime::Kept), |_| ()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{error}");
    // Unless it never became ready.
    write(7 * 8, &[0; 8]);
    drop(Segment::create(&name, layout(Lifetime::Kept), |_| ()).unwrap());
    unlink(&name, FORMAT).unwrap();
    assert!(!file.exists());
}

/// Of many that find a dead one's segment at the same time, one takes it over.
#[test]
fn of_many_makers_one_wins() {
    let name = format!("killed-many-{}", process::id());
    let layout = SegmentLayout {
        format: FORMAT,
        words: 1,
        wait_slots: 0,
        lifetime: Lifetime::Owner,
    };
    for _ in 0..20 {
        fs::write(path(&name).unwrap(), "").unwrap(); // not a byte of a header
        let make = || Segment::create(&name, layout, |_| ());
        let made: Vec<_> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
            makers
                .into_iter()
                .map(|maker| maker.join().unwrap())
                .collect()
        });
        let winners = made.iter().filter(|made| made.is_ok()).count();
        assert_eq!(winners, 1, "{made:?}");
        drop(made);
        assert!(!path(&name).unwrap().exists());
    }
}

/// It has a name before it has its length, and its length before it is ready.
#[test]
fn who_opens_a_segment_while_it_is_made_gets_all_of_it_or_none() {
    let name = format!("killed-young-{}", process::id());
    let layout = SegmentLayout {
        format: FORMAT,
        words: 1 << 17,
        wait_slots: 1,
        lifetime: Lifetime::Owner,
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    let is_done = || done.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        let opener = || {
            while !is_done() {
                match Segment::open(&name, FORMAT) {
                    Ok(segment) => assert!(segment.words().len() >= layout.words),
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}"),
                }
            }
        };
        let openers = [scope.spawn(opener), scope.spawn(opener)];
        for _ in 0..200 {
            drop(Segment::create(&name, layout, |_| ()).unwrap());
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for opener in openers {
            opener.join().unwrap();
        }
    });
}
