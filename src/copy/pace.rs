//! Keeps those together who go the same way.
//!
//! Clients that are at about the same place of the file can share what was read there. But nothing
//! keeps them there: who starts a millisecond later, or gets the processor a little less often, is
//! megabytes behind, and stays so. So who is ahead waits for the others.
//!
//! Only where that costs nothing: a crowd has work for every processor while some wait. And only a
//! little, for those who move: one that was stopped, or writes to a slow disk, must not hold up the
//! rest. Who does not come while the others wait is left behind, and goes alone until it has caught up.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest that anybody waits for others.
const PATIENCE: Duration = Duration::from_millis(20);
/// In all, nobody waits longer than one part in so many of the time that it is on its way, and once
/// [`PATIENCE`] beyond.
const PART_WAITED: u32 = 4;
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
    moved: Condvar,
}

struct Way {
    /// How many are on their way, together or alone.
    runners: usize,
    /// How many ever were: the next one's key.
    ever: u64,
    /// Where those are who go together.
    places: BTreeMap<u64, u64>,
    /// The lowest place that somebody waits for all to reach.
    wanted: u64,
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
            wanted: u64::MAX,
        };
        Self {
            lead,
            crowd,
            patience: PATIENCE,
            way: Mutex::new(way),
            moved: Condvar::new(),
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

    /// Wakes those who wait, if nobody is behind what they wait for any more.
    fn wake(&self, way: &mut Way) {
        if way.last() >= way.wanted {
            way.wanted = u64::MAX; // who has to wait on says so again
            self.moved.notify_all();
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
        let lead = self.pace.lead;
        let mut way = self.pace.way();
        let alone = way.runners < self.pace.crowd || place + NEAR * lead < way.first();
        match alone {
            true => way.places.remove(&self.key),
            false => way.places.insert(self.key, place),
        };
        self.pace.wake(&mut way);
        if alone {
            return false;
        }
        if way.last() + lead < place {
            way = self.wait(way, place - lead / 2);
        }
        place + lead >= way.first()
    }

    /// Waits until nobody is behind `place`. Who then still is, is left behind.
    fn wait<'w>(&mut self, way: MutexGuard<'w, Way>, place: u64) -> MutexGuard<'w, Way> {
        let start = Instant::now();
        let patience = self.pace.patience;
        let allowed = patience + self.start.elapsed() / PART_WAITED;
        let left = allowed.saturating_sub(self.waited).min(patience);
        let is_waiting = |way: &mut Way| {
            way.wanted = way.wanted.min(place);
            way.last() < place
        };
        let moved = &self.pace.moved;
        let waited = moved.wait_timeout_while(way, left, is_waiting);
        let (mut way, _) = waited.unwrap_or_else(PoisonError::into_inner);
        way.places.retain(|_, other| *other >= place);
        self.pace.wake(&mut way);
        self.waited += start.elapsed();
        way
    }
}

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        let mut way = self.pace.way();
        way.runners -= 1;
        way.places.remove(&self.key);
        self.pace.wake(&mut way);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

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

    #[test]
    fn who_is_ahead_waits_until_the_last_has_come() {
        let pace = pace(LONG);
        let (mut first, mut last) = (pace.join(), pace.join());
        assert!(last.reach(0));
        thread::scope(|scope| {
            let ahead = scope.spawn(|| first.reach(5));
            while pace.way().wanted == u64::MAX && !ahead.is_finished() {
                thread::yield_now();
            }
            assert!(last.reach(2));
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
            while pace.way().wanted == u64::MAX && !ahead.is_finished() {
                thread::yield_now();
            }
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
