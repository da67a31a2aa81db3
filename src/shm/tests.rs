//! Tests that need the room's private items: waiters that are held up between two of their steps.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use raw_sync::Timeout;

use super::raw::CACHE_LINE;
use super::timer;
use super::*;
use crate::stop::StopToken;
use crate::support::identity::{Identity, state};

const FORMAT: Format = Format {
    kind: *b"unittest",
    version: 1,
};

/// A segment of a test's own.
fn segment(test: &str, words: usize, wait_slots: usize) -> Arc<Segment> {
    let layout = SegmentLayout {
        format: FORMAT,
        words,
        wait_slots,
        lifetime: Lifetime::Owner,
    };
    let name = format!("unit-{test}-{}", process::id());
    Arc::new(Segment::create(&name, layout, |_| ()).unwrap())
}

/// A segment with a wait queue of all its slots.
fn queue(test: &str, wait_slots: usize) -> (Arc<Segment>, WaitQueue) {
    let segment = segment(test, 1, wait_slots);
    let waiters = WaitQueue::new(&segment, 0..wait_slots);
    (segment, waiters)
}

fn nothing() -> Option<()> {
    None
}

/// Wait slots taken by waiters that say that they sleep, but take no steps of their own.
fn fall_asleep(segment: &Segment, slots: Range<usize>) {
    for number in slots {
        segment.wait_slot(number).take();
        register(segment, number);
        segment.wait_slot(number).announce();
    }
}

fn register(segment: &Segment, number: usize) {
    let register = segment.wait_slot(0).register();
    register.fetch_or(1 << number, Ordering::SeqCst);
}

fn asleep(segment: &Segment) -> Vec<bool> {
    let slots = 0..segment.wait_slots();
    slots
        .map(|number| segment.wait_slot(number).is_asleep())
        .collect()
}

#[test]
fn an_owner_word_names_its_process() {
    let own = Identity::own().unwrap();
    assert_eq!(owner::identity(owner::word(own)), own);
    assert!(!owner::is_dead(owner::word(own)));
}

#[test]
fn a_gate_opened_twice_ends_one_sleep_and_not_two() {
    let segment = segment("parker", 1, 1);
    let wait_slot = segment.wait_slot(0);
    for _ in 0..3 {
        wait_slot.open();
        wait_slot.open();
        wait_slot.sleep();
        let again = wait_slot.0.mutex().unwrap();
        assert!(again.try_lock(Timeout::Val(Duration::ZERO)).is_err());
    }
}

#[test]
fn a_parker_that_two_open_at_once_stays_a_parker() {
    let segment = segment("twice", 1, 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    segment.wait_slot(0).open();
                }
            });
        }
        (0..20_000).for_each(|_| segment.wait_slot(0).sleep());
        done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_wait_ends_at_its_limit_to_the_millisecond_or_so() {
    let (_segment, waiters) = queue("limit", 1);
    for millis in [0, 5, 150, 1030] {
        let limit = Duration::from_millis(millis);
        let start = Instant::now();
        let error = waiters
            .wait(Some(limit), &StopToken::new(), nothing)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(start.elapsed() >= limit, "{limit:?} became less");
    }
}

#[test]
fn an_interrupt_wakes_who_sleeps() {
    let ((segment, waiters), stop) = (queue("int", 1), StopToken::new());
    let raiser = stop.clone();
    let raising = thread::spawn(move || {
        while !segment.wait_slot(0).is_asleep() {
            thread::yield_now();
        }
        raiser.request_stop();
    });
    let error = waiters.wait(None, &stop, nothing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    raising.join().unwrap();
}

#[test]
fn a_wait_slot_that_is_taken_is_none_for_another() {
    let (segment, waiters) = queue("wait_slots", 1);
    assert!(segment.wait_slot(0).take());
    let error = waiters.wait(None, &StopToken::new(), nothing).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
}

#[test]
fn a_wake_up_passes_by_who_was_killed_asleep() {
    let (segment, waiters) = queue("passby", 3);
    segment.wait_slot(0).leave_killed();
    register(&segment, 0);
    fall_asleep(&segment, 1..3);
    waiters.wake_one();
    assert_eq!(
        asleep(&segment),
        [false, false, true],
        "of the living one was woken"
    );
}

/// While the waiter looks, it receives a wake-up that was meant for a thread that waits.
#[test]
fn a_wake_up_that_meets_a_waiter_on_its_way_out_is_passed_on() {
    let (never, requested) = (StopToken::new(), StopToken::new());
    requested.request_stop();
    let ways_out = [
        ("with a value", None, &never, Some(())),
        ("after its limit", Some(Duration::ZERO), &never, None),
        ("stopped", None, &requested, None),
    ];
    for (way, limit, stop, value) in ways_out {
        let (segment, waiters) = queue("passon", 3);
        fall_asleep(&segment, 1..3);
        let waited = waiters.wait(limit, stop, || {
            waiters.wake_one();
            value
        });
        assert_eq!(waited.is_ok(), value.is_some());
        assert_eq!(asleep(&segment), [false, false, true], "it leaves {way}");
    }
}

/// A waiter that was not woken has no wake-up to pass on.
#[test]
fn a_waiter_that_leaves_wakes_nobody_on_its_own() {
    let (segment, waiters) = queue("quiet", 2);
    fall_asleep(&segment, 1..2);
    let never = StopToken::new();
    waiters.wait(None, &never, || Some(())).unwrap();
    waiters
        .wait(Some(Duration::ZERO), &never, nothing)
        .unwrap_err();
    assert_eq!(asleep(&segment), [false, true]);
}

#[test]
fn as_many_are_woken_as_are_asked_for() {
    let (segment, waiters) = queue("count", 3);
    for (count, left) in [(0, 3), (1, 2), (2, 1), (3, 0), (u64::MAX, 0)] {
        fall_asleep(&segment, 0..3);
        waiters.wake(count);
        let asleep = asleep(&segment).into_iter().filter(|asleep| *asleep);
        assert_eq!(asleep.count(), left, "{count} were woken");
    }
}

#[test]
fn as_many_are_woken_as_are_posted() {
    let segment = segment("postmany", 1, 3);
    let semaphore = Semaphore::new(&segment, 0, 0..3);
    fall_asleep(&segment, 0..3);
    semaphore.post_many(2);
    assert_eq!(asleep(&segment), [false, false, true]);
}

#[test]
fn more_waiters_than_wait_slots_have_their_limits_and_can_be_interrupted() {
    let segment = segment("crowd", 1, 1);
    let lock = Lock::new(&segment, 0, 0..1);
    let _held = lock.try_lock().unwrap();
    assert!(segment.wait_slot(0).take(), "by another waiter, say");
    let stop = StopToken::new();
    let kind = |limit| lock.lock(limit, &stop).map(drop).unwrap_err().kind();
    assert_eq!(kind(Some(Duration::from_millis(5))), ErrorKind::TimedOut);
    stop.request_stop();
    assert_eq!(kind(None), ErrorKind::Interrupted);
}

#[test]
fn timers_go_off_in_the_order_of_their_times_and_never_early() {
    let (tell, told) = mpsc::channel();
    let start = Instant::now();
    let set = |millis: u64| {
        let tell = tell.clone();
        let time = start + Duration::from_millis(millis);
        timer::at(time, move || {
            tell.send((millis, Instant::now() >= time)).unwrap()
        })
        .unwrap()
    };
    let _timers = [30, 10, 20, 10].map(set);
    let order: Vec<_> = told.iter().take(4).collect();
    assert_eq!(order, [10, 10, 20, 30].map(|millis| (millis, true)));
}

#[test]
fn a_timer_taken_back_never_goes_off() {
    let (tell, told) = mpsc::channel();
    let time = Instant::now() + Duration::from_millis(10);
    let other = tell.clone();
    drop(timer::at(time, move || other.send("taken back").unwrap()));
    let _timer = timer::at(time, move || tell.send("kept").unwrap());
    assert_eq!(told.iter().collect::<Vec<_>>(), ["kept"]);
}

/// Its value is there and the mutex is free, but the kernel was never told to wake the sleeper.
#[test]
fn a_waker_killed_within_its_release_costs_the_sleeper_seconds_and_not_a_day() {
    let segment = segment("release", 1, 1);
    let semaphore = Semaphore::new(&segment, 0, 0..1);
    let (tell, told) = mpsc::channel();
    let waits = thread::spawn(move || {
        let own = fs::read_link("/proc/thread-self").unwrap();
        let own: u32 = own.file_name().unwrap().to_str().unwrap().parse().unwrap();
        tell.send((own, Ok(()))).unwrap();
        let ended = semaphore.wait(&StopToken::new());
        tell.send((own, ended)).unwrap();
    });
    let own = told.recv().unwrap().0;
    // It announces its sleep before it sleeps.
    while !(segment.wait_slot(0).is_asleep() && state(own) == Some('S')) {
        thread::yield_now();
    }
    segment.words()[0].store(1, Ordering::SeqCst);
    // The mutex begins with the word by which glibc knows that it is locked.
    let name = format!("ipc-primer-unit-release-{}", process::id());
    let file = File::options()
        .write(true)
        .open(Path::new("/dev/shm").join(name));
    let at = segment.memory().len() - CACHE_LINE;
    file.unwrap().write_all_at(&[0; 4], at as u64).unwrap();
    let ended = told.recv_timeout(Duration::from_secs(20));
    ended.expect("the sleep ends soon").1.unwrap();
    waits.join().unwrap(); // it has the segment, too, which the last one removes
}
