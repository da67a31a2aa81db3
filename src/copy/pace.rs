//! Keeps those together who go the same way.
//!
//! Clients that are at about the same place of the file can share what was read there. But nothing
//! keeps them there: who starts a millisecond later, or gets the processor a little less often, is
//! megabytes behind, and stays so. So who is ahead waits for the others.
//!
//! Only where that costs nothing: a crowd has work for every processor while some wait. And only a
//! little, for those who move: one that was stopped, or writes to a slow disk, must not hold up the
//! rest. Who does not come while the others wait is left behind, and goes alone until it has caught up.
//!
//! Who waits sleeps and looks again. A `Condvar` would wake it at once, but also move it: the kernel
//! likes to run a thread where the one that woke it runs, and that is not where its client is, with
//! which it shares what is in a processor's cache. Then the copy takes a half longer.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that anybody waits for others.
const PATIENCE: Duration = Duration::from_millis(20);
/// In all, nobody waits longer than one part in so many of the time that it is on its way, and once
/// [`PATIENCE`] beyond.
const PART_WAITED: u32 = 4;
/// How long to sleep before looking again.
const NAP: Duration = Duration::from_micros(500);
/// Who is not farther behind than so many times the lead is waited for.
const NEAR: u64 = 8;

/// How those are going who go together.
pub(super) struct Pace {
    /// How far anybody may be ahead.
    lead: u64,
    /// How many there have to be.
    crowd: usize,
    patience: Duration,
    way: Mutex<Way>,
}

struct Way {
    /// How many are on their way, together or alone.
    runners: usize,
    /// How many ever were: the next one's key.
    ever: u64,
    /// Where those are who go together.
    places: BTreeMap<u64, u64>,
}

impl Way {
    fn first(&self) -> u64 {
        self.places.values().max().copied().unwrap_or(0)
    }

    fn last(&self) -> u64 {
        self.places.values().min().copied().unwrap_or(u64::MAX)
    }
}

impl Pace {
    pub(super) fn new(lead: u64, crowd: usize) -> Self {
        let way = Way {
            runners: 0,
            ever: 0,
            places: BTreeMap::new(),
        };
        Self {
            lead,
            crowd,
            patience: PATIENCE,
            way: Mutex::new(way),
        }
    }

    /// One more sets out.
    pub(super) fn join(&self) -> Runner<'_> {
        let mut way = self.way();
        way.runners += 1;
        way.ever += 1;
        Runner {
            pace: self,
            key: way.ever,
            start: Instant::now(),
            waited: Duration::ZERO,
        }
    }

    fn way(&self) -> MutexGuard<'_, Way> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of those who are on their way, until it is dropped.
pub(super) struct Runner<'p> {
    pace: &'p Pace,
    key: u64,
    start: Instant,
    waited: Duration,
}

impl Runner<'_> {
    /// Comes to `place`, and waits there a little if others are too far behind. Says whether it is
    /// near enough to the first to share with it.
    pub(super) fn reach(&mut self, place: u64) -> bool {
        let pace = self.pace;
        let mut way = pace.way();
        let alone = way.runners < pace.crowd || place + NEAR * pace.lead < way.first();
        if alone {
            way.places.remove(&self.key);
            return false;
        }
        way.places.insert(self.key, place);
        if way.last() + pace.lead < place {
            drop(way);
            self.wait(place - pace.lead / 2);
            way = pace.way();
        }
        place + pace.lead >= way.first()
    }

    /// Waits until nobody is behind `place`. Who then still is, is left behind.
    fn wait(&mut self, place: u64) {
        let start = Instant::now();
        let patience = self.pace.patience;
        let allowed = patience + self.start.elapsed() / PART_WAITED;
        let limit = allowed.saturating_sub(self.waited).min(patience);
        while self.pace.way().last() < place && start.elapsed() < limit {
            thread::sleep(NAP);
        }
        self.pace.way().places.retain(|_, other| *other >= place);
        self.waited += start.elapsed();
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        let mut way = self.pace.way();
        way.runners -= 1;
        way.places.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::ScopedJoinHandle;

    /// Longer than any test takes.
    const LONG: Duration = Duration::from_secs(600);

    fn pace(patience: Duration) -> Pace {
        Pace {
            patience,
            ..Pace::new(4, 2)
        }
    }

    fn places(pace: &Pace) -> Vec<u64> {
        pace.way().places.values().copied().collect()
    }

    /// Waits until the one who is `ahead` has come there. From then on it waits, too.
    fn until_at(pace: &Pace, place: u64, ahead: &ScopedJoinHandle<'_, bool>) {
        while pace.way().first() < place && !ahead.is_finished() {
            thread::yield_now();
        }
    }

    #[test]
    fn who_is_ahead_waits_until_the_last_has_come() {
        let pace = pace(LONG);
        let (mut first, mut last) = (pace.join(), pace.join());
        assert!(last.reach(0));
        thread::scope(|scope| {
            let ahead = scope.spawn(|| first.reach(5));
            until_at(&pace, 5, &ahead);
            assert!(last.reach(2));
            thread::sleep(4 * NAP); // time for a wrong look
            assert!(!ahead.is_finished(), "the last is not at 3 yet");
            assert!(last.reach(3));
            assert!(ahead.join().unwrap());
        });
        assert_eq!(places(&pace), [5, 3]);
    }

    #[test]
    fn who_leaves_is_not_waited_for() {
        let pace = pace(LONG);
        let (mut first, mut last) = (pace.join(), pace.join());
        last.reach(0);
        thread::scope(|scope| {
            let ahead = scope.spawn(|| first.reach(5));
            until_at(&pace, 5, &ahead);
            assert!(!ahead.is_finished());
            drop(last);
            assert!(ahead.join().unwrap());
        });
        assert_eq!(places(&pace), [5]);
    }

    #[test]
    fn who_does_not_come_is_left_behind_until_it_has_caught_up() {
        let pace = pace(Duration::ZERO);
        let (mut first, mut last) = (pace.join(), pace.join());
        last.reach(0);
        assert!(first.reach(100));
        assert_eq!(places(&pace), [100]);
        assert!(!last.reach(67), "too far to be waited for");
        assert_eq!(places(&pace), [100]);
        assert!(!last.reach(95), "too far to share");
        assert_eq!(places(&pace), [100, 95]);
        assert!(last.reach(96));
    }

    #[test]
    fn few_go_alone() {
        let pace = Pace::new(4, 3);
        let (mut one, mut other) = (pace.join(), pace.join());
        assert!(!one.reach(0) && !other.reach(0));
        let mut third = pace.join();
        assert!(one.reach(1) && other.reach(1) && third.reach(1));
        drop(third);
        assert!(!one.reach(2));
    }
}
