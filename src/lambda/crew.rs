//! A crew of threads, kept for a while after their work: there is more to come.
//!
//! Each call needs two threads, and starting and ending two of them costs about a tenth of what
//! starting the function's process does. So whoever is done waits a moment for something new to do.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread with nothing to do stays.
const STAY: Duration = Duration::from_secs(1);

type Task = Box<dyn FnOnce() + Send>;

/// Threads for whatever there is to do.
#[derive(Default)]
pub(super) struct Crew {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Tasks that idle threads were woken for; never more than there are idle threads.
    tasks: VecDeque<Task>,
    idle: usize,
    threads: usize,
    finished: bool,
}

impl Crew {
    /// Has `task` done at once, by an idle thread or by a new one.
    ///
    /// # Errors
    /// Those of starting a thread; then the task was dropped.
    pub(super) fn run(self: &Arc<Self>, task: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.state();
        if state.idle > state.tasks.len() {
            state.tasks.push_back(Box::new(task));
            drop(state);
            self.changed.notify_one();
            return Ok(());
        }
        state.threads += 1;
        drop(state);
        let member = Member(Arc::clone(self)); // dropped with the closure, if there can be no thread
        thread::Builder::new()
            .spawn(move || {
                task();
                while let Some(task) = member.0.next() {
                    task();
                }
            })
            .map(drop)
    }

    /// Waits until all is done and all threads have ended.
    pub(super) fn finish(&self) {
        let mut state = self.state();
        state.finished = true;
        self.changed.notify_all();
        let busy = |state: &mut State| state.threads > 0;
        let ended = self.changed.wait_while(state, busy);
        drop(ended.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits a while for something to do.
    fn next(&self) -> Option<Task> {
        let mut state = self.state();
        state.idle += 1;
        let nothing = |state: &mut State| state.tasks.is_empty() && !state.finished;
        let waited = self.changed.wait_timeout_while(state, STAY, nothing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.idle -= 1;
        state.tasks.pop_front()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread of the crew, however it ends.
struct Member(Arc<Crew>);

impl Drop for Member {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.threads -= 1;
        if state.finished {
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn tasks_that_wait_for_each_other_run_at_once() {
        let crew = Arc::new(Crew::default());
        for _ in 0..100 {
            let (give, take) = mpsc::sync_channel(0);
            let (tell, told) = mpsc::channel();
            crew.run(move || tell.send(take.recv().unwrap()).unwrap())
                .unwrap();
            crew.run(move || give.send(7).unwrap()).unwrap();
            assert_eq!(told.recv(), Ok(7));
        }
        assert!(crew.state().threads < 100, "threads are used again");
        crew.finish();
        assert_eq!(crew.state().threads, 0);
    }

    #[test]
    fn a_task_that_panics_takes_its_thread_alone() {
        let crew = Arc::new(Crew::default());
        crew.run(|| panic!("on purpose")).unwrap();
        let (tell, told) = mpsc::channel();
        crew.run(move || tell.send(()).unwrap()).unwrap();
        assert!(told.recv().is_ok());
        crew.finish();
    }
}
