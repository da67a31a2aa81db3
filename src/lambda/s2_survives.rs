//! Stage 2: a server that survives its clients and ends cleanly.
//!
//! What broke: after Ctrl-C the socket file of stage 1 is in the way of the next server, and `kill` leaves its
//! functions running (`ipc lambda invoke /bin/sleep 1000`). The next server writes over `output-1`, which a
//! client may still want to read. If a client disconnects early, its output file stays, and no client knows it.
//!
//! What this adds: the stale file is taken over; Ctrl-C ends the functions and closes every connection; each
//! output file is new and its owner's alone, and is removed if its client has disconnected; the server refuses
//! malformed messages; the log says how each call ended. One client too many waits in the backlog.
//!
//! What it costs: 83 more lines here, and five files beside it; one waker for each client and each function.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use super::ending::{Ended, Ending};
use super::library;
use super::output::{Output, Outputs};
use super::protocol::{MESSAGE_LEN, NOT_EXECUTED, Request, error_line, escaped};
use crate::harness::signal;
use crate::socket::{Listener, Received, WhenFull, accept_loop, close, recv, send};
use crate::stop::StopToken;
use crate::support::log::log;

/// How many clients at a time. Each takes up to five of the usual 1,024 descriptors while its function starts.
const MAX_CLIENTS: usize = 200;
/// How long an answer may wait for room. It is the only one on its connection, so there is room.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// Serves the clients of `listener`, and puts the output of functions into new files in `output_dir`, until
/// `stop` is requested. Then it kills the functions that still run.
///
/// # Errors
/// Those of [`Listener::accept`] and of the directory. A client's errors end that client alone.
pub fn serve(listener: &Listener, output_dir: &Path, stop: &StopToken) -> io::Result<()> {
    let server = Server {
        outputs: Outputs::in_directory(output_dir)?,
        stop: stop.clone(),
    };
    log(format!("listening on {}", listener.path().display())); // only now is everything ready
    accept_loop(
        listener,
        MAX_CLIENTS,
        WhenFull::Wait,
        stop,
        |number, client| {
            let ending = server.converse(client);
            close(client);
            format!("client {number}{ending}")
        },
        |number, client| {
            close(client);
            format!("client {number} was sent away")
        },
    )
}

struct Server {
    outputs: Outputs,
    stop: StopToken,
}

impl Server {
    /// Serves one client, from its message to its answer.
    fn converse(&self, client: &Arc<UnixStream>) -> Ending {
        let message = match self.receive(client) {
            Ok(Some(message)) => message,
            Ok(None) => return Ending::Left,
            Err(error) => return Ending::Failed(error),
        };
        if self.stop.is_requested() {
            return Ending::SentAway;
        }
        let answered = self.outputs.create().and_then(|output| {
            let done = self.work(&message, &output)?;
            let told = answer(client, output)?;
            Ok(if told { done } else { Ending::Left })
        });
        answered.unwrap_or_else(Ending::Failed)
    }

    /// Receives the message, which is all that the first read returns; `None` if the client has disconnected.
    ///
    /// If the client half-closes without sending anything, the message is empty.
    fn receive(&self, client: &Arc<UnixStream>) -> io::Result<Option<Vec<u8>>> {
        let reading = Arc::clone(client);
        let shut_down = move || drop(reading.shutdown(Shutdown::Read));
        let _waker = self.stop.on_stop(shut_down);
        let mut message = vec![0; MESSAGE_LEN + 1]; // one byte for the newline, or to see what is too long
        let count = match recv(&mut &**client, &mut message)? {
            Received::Bytes(count) => count,
            Received::End => 0,
            Received::Reset => return Ok(None),
        };
        message.truncate(count);
        Ok(Some(message))
    }

    /// Does what the message asks for. The output file says how that ended; the only error is that the file
    /// cannot be written.
    fn work(&self, message: &[u8], output: &Output) -> io::Result<Ending> {
        let request = match Request::parse(message) {
            Ok(request) => request,
            Err(fault) => {
                output.replace(&error_line(&escaped(message)))?;
                return Ok(Ending::Refused(fault));
            }
        };
        let asked = request.to_string();
        let call = library::call(&request, &[], &[]);
        let why = match call.and_then(|call| self.run(call.command, output)) {
            Ok(status) if status.code() != Some(NOT_EXECUTED) => {
                return Ok(Ending::Answered(asked, Ended::OnItsOwn(status)));
            }
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        output.replace(&error_line(&asked))?;
        Ok(Ending::Answered(asked, Ended::NotExecuted(why)))
    }

    /// Runs a function with its output in the file. It leads a process group of its own, which a stop kills.
    fn run(&self, mut command: Command, output: &Output) -> io::Result<ExitStatus> {
        let stdout = output.file.try_clone()?;
        command.stdin(Stdio::null()).stdout(stdout).process_group(0);
        let mut child = command.spawn()?;
        let group = i64::from(child.id());
        let _waker = self.stop.on_stop(move || drop(signal("KILL", -group)));
        child.wait()
    }
}

/// Tells the client where its output is; returns whether that worked. If the client has disconnected, no
/// other will ever learn the path, and the file is removed.
fn answer(client: &UnixStream, output: Output) -> io::Result<bool> {
    client.set_write_timeout(Some(SEND_LIMIT))?;
    match send(&mut &*client, output.path().as_os_str().as_bytes()) {
        Ok(()) => {
            output.keep();
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}
