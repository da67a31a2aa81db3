//! A shell that outlives us, and is told over a socket what to do after our end.
//!
//! None of our code runs after SIGKILL. But the kernel closes our end of every pipe and socket, and a
//! process that waits at the other end notices. So a shell reads orders on its stdin, and when the orders
//! end, we have ended, *whatever the reason*.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::socket::{end_sending, recv};

/// How long the shell may leave orders unread, or take to end.
const LIMIT: Duration = Duration::from_secs(1);

/// A running shell. Dropping it ends its orders, and waits for nothing.
pub(crate) struct ResidentShell {
    child: Child,
    orders: UnixStream,
}

impl ResidentShell {
    /// Starts `sh` with this script and its argument. `mark` is the environment variable by which such a shell
    /// finds the processes it has to end; this shell lacks it, or another shell would end it before us.
    pub(crate) fn start(script: &str, argument: &str, mark: &str) -> io::Result<Self> {
        let (orders, theirs) = UnixStream::pair()?;
        orders.set_write_timeout(Some(LIMIT))?;
        orders.set_read_timeout(Some(LIMIT))?;
        let child = Command::new("sh")
            .args(["-c", script, "sh", argument])
            .env_remove(mark)
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0) // a Ctrl-C is meant for us
            .spawn()?;
        Ok(Self { child, orders })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Gives the shell an order, which is one line.
    ///
    /// # Errors
    /// The shell was killed, or it is stopped and has read nothing for a second.
    pub(crate) fn tell(&mut self, order: &str) -> io::Result<()> {
        self.orders.write_all(format!("{order}\n").as_bytes())
    }

    /// Ends its orders and waits until it ends, which closes its stdin; kills it if it does not end.
    pub(crate) fn end(&mut self) {
        let _ = end_sending(&self.orders);
        if recv(&mut self.orders, &mut [0]).is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}
