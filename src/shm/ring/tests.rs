//! The ring when a call fails halfway, and when another process overwrites its words.

use std::io::{self, ErrorKind};
use std::process;
use std::sync::atomic::Ordering;

use super::{FORMAT, MAX_LABEL, MAX_RING, RECEIVERS_AT, Receiver, Sender, Shape};
use crate::shm::Segment;
use crate::stop::StopToken;

const SHAPE: Shape = Shape {
    slots: 1,
    slot_len: 16,
    receivers: 2,
};

fn name(test: &str) -> String {
    format!("unit-ring-{test}-{}", process::id())
}

/// A ring with all its receivers.
fn ring(test: &str) -> (Sender, [Receiver; 2]) {
    let name = name(test);
    let sender = Sender::create(&name, SHAPE, b"label").unwrap();
    let receivers = [(); 2].map(|()| Receiver::join(&name).unwrap());
    (sender, receivers)
}

/// With this, a call that would block fails immediately.
fn at_once() -> StopToken {
    let requested = StopToken::new();
    requested.request_stop();
    requested
}

fn receive(receiver: &mut Receiver) -> io::Result<Vec<u8>> {
    let mut buffer = [0; SHAPE.slot_len];
    let count = receiver.receive(&mut buffer, &at_once())?;
    Ok(buffer[..count].to_vec())
}

#[test]
fn a_slot_that_could_not_be_filled_is_filled_next_time() {
    let (mut sender, mut receivers) = ring("fill");
    let fail = |_: &mut [u8]| Err(ErrorKind::Other.into());
    sender.send_with(1, &at_once(), fail).unwrap_err();
    sender.send(b"one", &at_once()).expect("the slot is free");
    assert_eq!(receive(&mut receivers[0]).unwrap(), b"one");
    // The first receiver has room, the second does not: this takes from one and fails at the other.
    let error = sender.send(b"two", &at_once()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert_eq!(receive(&mut receivers[1]).unwrap(), b"one");
    sender.send(b"two", &at_once()).expect("both have room");
    for receiver in &mut receivers {
        assert_eq!(receive(receiver).unwrap(), b"two");
    }
}

#[test]
fn a_slot_that_could_not_be_taken_is_taken_next_time() {
    let (mut sender, mut receivers) = ring("take");
    sender.send(b"one", &at_once()).unwrap();
    for receiver in &mut receivers {
        let fail = |_: &[u8]| Err(ErrorKind::Other.into());
        receiver.receive_with(&at_once(), fail).unwrap_err();
        let error = receiver.receive(&mut [0; 2], &at_once()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "the buffer is small");
        assert_eq!(receive(receiver).unwrap(), b"one");
    }
    drop(sender);
    for receiver in &mut receivers {
        for _ in 0..2 {
            let error = receive(receiver).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "at every call");
        }
    }
}

#[test]
fn a_ring_is_as_large_as_its_whole_segment() {
    let fits = |slots, slot_len| {
        let receivers = 1;
        Shape {
            slots,
            slot_len,
            receivers,
        }
        .fits()
    };
    assert!(fits(1, MAX_RING - 4096) && fits(1 << 20, 512));
    assert!(!fits(1, MAX_RING), "there is a header");
    assert!(!fits(20_000_000, 1), "each slot takes a cache line");
    for huge in [MAX_RING + 1, usize::MAX / 8, usize::MAX] {
        assert!(!fits(1, huge) && !fits(huge, 1) && !fits(huge, huge) && !fits(0, huge));
    }
}

/// Another process may overwrite any word with any value: that may spoil the data or make calls fail, but no more.
#[test]
fn no_overwritten_word_makes_an_end_panic() {
    const ODD: [u64; 8] = [0, 1, 2, 17, 1 << 31, 1 << 62, u64::MAX - 1, u64::MAX];
    let mut random = 0x5eed_u64;
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005) | 1;
        random ^= random >> 29;
        usize::try_from(random >> 33).unwrap() % end
    };
    for _ in 0..1000 {
        let (mut sender, mut receivers) = ring("odd");
        let segment = Segment::open(&name("odd"), FORMAT).unwrap();
        for _ in 0..4 {
            // One of the first words, or of the semaphores and the lengths. (The words that name a
            // receiver and its phase say only whether it has gone, and the sender logs each one that has.)
            let receiver = RECEIVERS_AT + 2 + 8 * below(3);
            let word = [below(8), receiver + below(2)][below(2)];
            segment.words()[word].store(ODD[below(8)], Ordering::Relaxed);
            let _ = sender.send(b"more", &at_once());
            for receiver in &mut receivers {
                let _ = receive(receiver);
                assert!(receiver.label().len() <= MAX_LABEL);
            }
            let _ = Receiver::join(&name("odd"));
        }
        let _ = sender.finish(&at_once());
    }
}
