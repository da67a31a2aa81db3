//! Tests that need the room's private items: names, the order of states, and an attempt that fails.

use std::sync::atomic::AtomicU64;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::blocking::{Shared, Wait};
use super::layout::{FORMAT, Layout};
use super::name::{MAX_LEN, segment};
use super::order::{self, SEQUENCE_END, get, is_full, pop, push, state};
use super::{Error, State};
use crate::shm::{self, Segment};
use crate::stop::StopToken;

#[test]
fn names_are_judged_as_the_manual_pages_say() {
    let errno = |name: &str| segment(name).map_err(|error| error.errno());
    assert_eq!(errno("/jobs").unwrap(), "queue.jobs");
    assert_eq!(errno("jobs"), Err(Some("EINVAL")));
    assert_eq!(errno(""), Err(Some("EINVAL")));
    assert_eq!(errno("/"), Err(Some("ENOENT")));
    assert_eq!(errno("/a/b"), Err(Some("EACCES")));
    assert_eq!(errno("//"), Err(Some("EACCES")));
    assert_eq!(errno("/.."), Err(Some("EACCES")));
    assert!(segment(&format!("/{}", "n".repeat(MAX_LEN))).is_ok());
    let long = format!("/{}", "n".repeat(MAX_LEN + 1));
    assert_eq!(errno(&long), Err(Some("ENAMETOOLONG")));
}

#[test]
fn the_smaller_state_goes_first() {
    let last = SEQUENCE_END - 1;
    let in_order = [
        state(32767, last, 9),
        state(1, 0, 65535),
        state(1, 1, 0),
        state(0, 0, 0),
        state(0, last, 0),
    ];
    assert!(in_order.is_sorted());
    for (state, expected) in in_order.into_iter().zip([32767, 1, 1, 0, 0]) {
        assert_eq!(order::priority(state), expected);
        assert!(is_full(state));
    }
    let first = in_order[0];
    assert_eq!((order::sequence(first), order::slot(first)), (last, 9));
}

#[test]
fn what_goes_in_in_any_order_comes_out_sorted() {
    let mut random = 1_u64;
    for len in [1, 2, 3, 10, 255, 256, 257] {
        let words: Vec<_> = (0..len).map(|_| AtomicU64::new(0)).collect();
        let mut values = Vec::new();
        for end in 1..=len {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            values.push(random >> 33);
            push(&words[..end], random >> 33);
        }
        values.sort_unstable();
        for (end, value) in (1..=len).rev().zip(values) {
            assert_eq!(get(&words[0]), value, "of {len}");
            pop(&words[..end]);
        }
    }
}

/// A receiver whose attempt fails after it was woken leaves the message, while another receiver
/// sleeps: the sleeper makes its next attempt before it wakes on its own, a second after its last.
#[test]
fn an_attempt_that_fails_after_a_wake_up_leaves_it_to_another() {
    let name = format!("unit-fails-{}", std::process::id());
    let layout = Layout::checked(10, 64).unwrap();
    let segment = Segment::create(&name, layout.segment_layout(), |new| layout.init(new)).unwrap();
    shm::unlink(&name, FORMAT).unwrap();
    let queue = Shared::new(segment, layout, &StopToken::new());
    let second = Duration::from_secs(1);
    let quick = (0..3).any(|_| attempt_after_a_failure(&queue) < second);
    assert!(quick, "three times out of three the other slept its second");
}

/// How long after its last attempt the sleeping receiver makes another.
fn attempt_after_a_failure(queue: &Shared) -> Duration {
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut attempts = 0;
            queue.blocking(State::Empty, Wait::Forever, |_| {
                attempts += 1;
                tell.send(Instant::now()).unwrap();
                Ok((attempts == 3).then_some(()))
            })
        });
        let [_, before_sleep] = [0, 1].map(|_| told.recv().unwrap());
        let mut attempts = 0;
        let failed = queue.blocking(State::Empty, Wait::Forever, |_| {
            attempts += 1;
            match attempts {
                1 => Ok(None),
                _ => Err::<Option<()>, _>(Error::Interrupted),
            }
        });
        assert!(failed.is_err());
        told.recv().unwrap() - before_sleep
    })
}
