//! How a program ends: on its own, by a signal, or because it is no longer needed.

use std::process::ExitStatus;
use std::time::Duration;

use super::Running;
use crate::grade::{Fault, watch};
use crate::harness::Identity;
use crate::signals::{Outcome, outcome};

/// How long a program that is no longer needed has to end after SIGTERM, before SIGKILL.
const TERM_LIMIT: Duration = Duration::from_millis(100);
/// How long to look for leftover processes, which may start others meanwhile.
pub(in crate::grade) const STRAYS_LIMIT: Duration = Duration::from_millis(500);

impl Running<'_> {
    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.look();
        self.ended.get().is_some()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// A fault if it does not end in time.
    pub fn wait(&self) -> Result<ExitStatus, Fault> {
        self.lab.wait_until(|| self.has_ended());
        let Some(status) = self.ended.get() else {
            return Err(self.fault("it does not end").expected(self.end_in_time()));
        };
        self.settle_output();
        Ok(status)
    }

    /// Sends the signal and waits for its end.
    ///
    /// # Errors
    /// A fault if it does not end in time.
    pub fn end_by(&self, name: &str) -> Result<ExitStatus, Fault> {
        self.signalled.set(true);
        self.signal(name);
        self.wait().map_err(|_| {
            self.fault(format!("it is still running after SIG{name}"))
                .expected(self.end_in_time())
        })
    }

    fn end_in_time(&self) -> String {
        format!("its end within {} s", self.lab.timeout().as_secs_f32())
    }

    /// The processes, by name, that it started and that still exist, in its process group or outside.
    pub(super) fn strays(&self) -> Vec<(Identity, String)> {
        let mut found = watch::marked(&self.mark, &self.before);
        found.retain(|(identity, _)| identity.pid != self.pid || self.ended.get().is_some());
        found
    }

    /// Looks whether it has ended.
    pub(super) fn look(&self) {
        if self.ended.get().is_none()
            && let Ok(Some(status)) = self.child.borrow_mut().try_wait()
        {
            self.ended.set(Some(status));
            self.killer.take(); // from now on its PID may belong to another process
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if self.record.borrow().is_none() {
            self.hear();
        }
        if !self.has_ended() {
            self.signal("TERM");
            if self.paused.get() {
                self.resume(); // a stopped program would not even see the signal
            }
            self.stdin.take();
            watch::wait_until(TERM_LIMIT, || self.lab.is_interrupted() || self.has_ended());
        }
        if self.ended.get().is_none() {
            self.signal("KILL");
            let _ = self.child.borrow_mut().wait();
        }
        watch::end_all(STRAYS_LIMIT, || {
            let strays = self.strays().into_iter();
            strays.map(|(stray, _)| stray.pid).collect()
        });
        if let Some(record) = self.record.take() {
            self.lab.keep(record);
        }
    }
}

/// How a program ended, in words. Whether it left a core depends on the machine.
pub(in crate::grade) fn show_end(status: ExitStatus) -> String {
    match outcome(status) {
        Outcome::Killed { number, .. } => Outcome::Killed {
            number,
            core_dumped: false,
        }
        .to_string(),
        exited => exited.to_string(),
    }
}
