//! One run of one function: start its process, copy its output, wait for its end.
//!
//! Three threads look after the run. The client's thread waits for the process; a second one copies the
//! output, up to the limit; the [watchdog](super::watchdog)'s thread watches the clock.

use std::fs::File;
use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;

use super::ending::{Ended, Reason};
use super::library::Call;
use super::output::Output;
use super::protocol::{NOT_EXECUTED, error_line};
use super::watchdog::Watchdog;
use crate::socket::{Received, recv};
use crate::support::permits::Permits;

/// How many bytes are copied at a time.
const BUFFER_LEN: usize = 32 * 1024;

/// What all runs of a server's functions share.
pub(super) struct Functions {
    pub(super) watchdog: Watchdog,
    /// How many bytes of a function's output are kept.
    pub(super) max_output: u64,
    /// Starting a process takes a few descriptors for a moment, so only a few processes start at the same time.
    pub(super) starting: Arc<Permits>,
}

struct Run {
    status: ExitStatus,
    /// Why the function was killed, if it was.
    killed: Option<Reason>,
    /// Whether its output ends in the middle of a line.
    in_line: bool,
}

impl Functions {
    /// Runs `call` for client `number`, with its output in the file. If something goes wrong, the last line
    /// of the file says so, and names the function by `asked`.
    ///
    /// # Errors
    /// Those of writing that last line to the file.
    pub(super) fn run(
        &self,
        number: u64,
        asked: &str,
        call: io::Result<Call>,
        output: &Output,
    ) -> io::Result<Ended> {
        match call.and_then(|call| self.execute(number, call, &output.file)) {
            Err(error) => not_executed(asked, error.to_string(), output),
            Ok(run) => match run.killed {
                Some(reason) => {
                    let line_end = if run.in_line { "\n" } else { "" };
                    let line = format!("Error: {asked} was killed: {reason}.\n");
                    match reason {
                        Reason::Unwritable(_) => output.replace(&line)?, // which makes room for it
                        _ => output.append(&(line_end.to_owned() + &line))?,
                    }
                    Ok(Ended::Killed(reason))
                }
                None if run.status.code() == Some(NOT_EXECUTED) => {
                    not_executed(asked, run.status.to_string(), output)
                }
                None => Ok(Ended::OnItsOwn(run.status)),
            },
        }
    }

    fn execute(&self, number: u64, call: Call, file: &File) -> io::Result<Run> {
        let Call { command, library } = call;
        let (mut child, reader) = self.start(number, command)?;
        self.watchdog.watch(number, child.id());
        thread::scope(|scope| {
            let copy = || self.copy(number, &reader, file);
            let copier = thread::Builder::new().spawn_scoped(scope, copy);
            if copier.is_err() {
                self.watchdog.forget(number); // which kills the function
            }
            let status = child.wait();
            let killed = self.watchdog.forget(number);
            drop(library);
            // Everything that the function printed lies in the socket, and is still read. The
            // other end may be held by a process that it has started: no reason to wait.
            let _ = reader.shutdown(Shutdown::Read);
            let copied = copier?.join();
            let (stopped, in_line) = copied.map_err(|_| io::Error::other("copying panicked"))?;
            Ok(Run {
                status: status?,
                killed: killed.or(stopped),
                in_line,
            })
        })
    }

    /// Starts the process, with nothing to read and a socket to print into. The server keeps the other end;
    /// it drops its copy of the function's end with the command, or the output would never end.
    fn start(&self, number: u64, mut command: Command) -> io::Result<(Child, UnixStream)> {
        let _start = self.starting.take(number);
        let (reader, writer) = UnixStream::pair()?;
        self.watchdog.mark(&mut command);
        command.stdin(Stdio::null()).stdout(OwnedFd::from(writer));
        let child = command.process_group(0).spawn()?;
        drop(command); // before another start may begin
        Ok((child, reader))
    }

    /// Copies the output up to the limit, and kills a function that prints more. Returns why copying ended
    /// before the output did, and whether the last line is unfinished.
    fn copy(&self, number: u64, reader: &UnixStream, file: &File) -> (Option<Reason>, bool) {
        let mut in_line = false;
        let stopped = match copy_at_most(self.max_output, reader, file, &mut in_line) {
            Ok(true) => None,
            Ok(false) => Some(Reason::Output(self.max_output)),
            Err(error) => Some(Reason::Unwritable(error.kind())),
        };
        if let Some(reason) = stopped {
            // This kills the function even while it waits for us to read. It sees no broken pipe first.
            self.watchdog.kill(number, reason);
        }
        (stopped, in_line)
    }
}

/// Copies up to `limit` bytes; returns whether that was all. `in_line` tracks whether a line is unfinished.
fn copy_at_most(
    limit: u64,
    mut reader: &UnixStream,
    mut file: &File,
    in_line: &mut bool,
) -> io::Result<bool> {
    let mut left = limit;
    let mut buffer = vec![0; BUFFER_LEN];
    while let Received::Bytes(count) = recv(&mut reader, &mut buffer)? {
        let kept = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&buffer[..kept])?;
        if let Some(last) = buffer[..kept].last() {
            *in_line = *last != b'\n';
        }
        if kept < count {
            return Ok(false);
        }
        left -= kept as u64;
    }
    Ok(true)
}

fn not_executed(asked: &str, why: String, output: &Output) -> io::Result<Ended> {
    output.replace(&error_line(asked))?;
    Ok(Ended::NotExecuted(why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    #[test]
    fn a_full_disk_ends_the_copying_with_an_error() {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(b"more than fits").unwrap();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = copy_at_most(100, &reader, &full, &mut false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
