//! A program's output: read all the time, so that it never blocks the program, but kept only up to a limit.

use std::fs;
use std::io::Read;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::watch;
use crate::harness::Stream;

/// How much of each stream is kept, in bytes.
const KEPT: usize = 1 << 20;
/// How much output on both streams together is a flood, in bytes.
const FLOOD: u64 = 16 << 20;

/// The output of one program, as far as it has been read.
#[derive(Default)]
pub(super) struct Captured {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    kept: [Vec<u8>; 2],
    total: u64,
    ended: [bool; 2],
    /// The directories below `/proc` of the two threads that read.
    takers: Vec<String>,
}

impl Captured {
    /// Reads the output of `child` from now on, and calls `on_flood` once if it is too much.
    pub(super) fn of(
        child: &mut Child,
        on_flood: impl FnOnce() + Send + Clone + 'static,
    ) -> Arc<Self> {
        let captured = Arc::new(Self::default());
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|stream| Box::new(stream) as _),
            child.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for (on, stream) in [Stream::Stdout, Stream::Stderr].into_iter().zip(streams) {
            let (captured, on_flood) = (Arc::clone(&captured), on_flood.clone());
            thread::spawn(move || captured.take_all(stream, on, on_flood));
        }
        captured
    }

    fn take_all(&self, stream: Option<impl Read>, on: Stream, on_flood: impl FnOnce()) {
        if let Ok(own) = fs::read_link("/proc/thread-self") {
            let own = format!("/proc/{}", own.display());
            self.state().takers.push(own);
        }
        let mut buffer = [0; 16 * 1024];
        let mut on_flood = Some(on_flood);
        let mut stream = stream.into_iter();
        if let Some(mut stream) = stream.next() {
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                if self.keep(&buffer[..count], on) > FLOOD {
                    on_flood.take().into_iter().for_each(|tell| tell());
                }
            }
        }
        self.state().ended[on as usize] = true;
        self.news.notify_all();
    }

    /// Keeps the bytes that there is room for; returns how many have come in all.
    fn keep(&self, bytes: &[u8], on: Stream) -> u64 {
        let mut state = self.state();
        let kept = &mut state.kept[on as usize];
        let room = KEPT - kept.len();
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        state.total += bytes.len() as u64;
        self.news.notify_all();
        state.total
    }

    /// Whether all output has been read. A write wakes the reader before it returns, so a reader that sleeps
    /// has nothing left to read.
    pub(super) fn is_taken(&self) -> bool {
        let takers = self.state().takers.clone();
        takers.len() == 2 && takers.iter().all(|taker| watch::rests(taker))
    }

    /// Whether both streams have ended: the program, and every process that inherited its output, has closed them.
    pub(super) fn has_ended(&self) -> bool {
        self.state().ended == [true; 2]
    }

    /// Ends every wait for output, as the end of the streams does.
    pub(super) fn give_up(&self) {
        self.state().ended = [true; 2];
        self.news.notify_all();
    }

    /// The bytes that have come on `stream`, as far as they were kept.
    pub(super) fn bytes(&self, stream: Stream) -> Vec<u8> {
        self.state().kept[stream as usize].clone()
    }

    /// Whether the output was a flood.
    pub(super) fn is_flood(&self) -> bool {
        self.state().total > FLOOD
    }

    /// Waits until `enough` holds for the output on `stream`, or the stream ends, or `limit` has passed;
    /// returns whether it was enough.
    pub(super) fn wait_until(
        &self,
        stream: Stream,
        limit: Duration,
        enough: impl Fn(&[u8]) -> bool,
    ) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.state();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if enough(&state.kept[stream as usize]) {
                return true;
            }
            if state.ended[stream as usize] || left.is_zero() {
                return false;
            }
            let woken = self.news.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
