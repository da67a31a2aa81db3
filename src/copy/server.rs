//! The server code that stages 2 and 3 share: a thread for each client, the count of whole copies, and the
//! limit on silence.
//!
//! The note's server forks a child for each client; here a thread does the same and shares the open file.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::socket::{Listener, Received, WhenFull, accept_with, end_sending, recv};
use crate::stop::StopToken;
use crate::support::log::log;
use crate::support::permits::Permits;
use crate::support::progress::Progress;

/// How many bytes are read and sent at a time by default. The chapter says why.
pub const CHUNK: usize = 128 * 1024;
/// The largest chunk. The server keeps one chunk in memory for each client.
pub const MAX_CHUNK: usize = 16 * 1024 * 1024;
/// How long a client may read nothing by default.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How to serve.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// End after this many whole copies; never if `None`.
    pub peers: Option<usize>,
    /// How many bytes to read and send at a time, at least 1.
    pub chunk: usize,
    /// How long a client may read nothing before it is dropped, at least a millisecond.
    pub timeout: Duration,
}

/// Runs `send_file` for every client of `listener`, with a permit for each of `service.peers`: a whole copy
/// keeps its permit, a broken one gives it back. When no permit is left, the server ends.
pub(super) fn serve(
    listener: &Listener,
    service: Service,
    stop: &StopToken,
    send_file: impl Fn(&UnixStream, &Progress) -> io::Result<u64> + Sync,
) -> io::Result<()> {
    let permits = Permits::new(service.peers.unwrap_or(usize::MAX));
    let broken = AtomicUsize::new(0);
    let progress = Progress::on_stderr();
    accept_with(
        listener,
        &permits,
        WhenFull::Wait,
        stop,
        |number, client, permit| {
            let send_file = |client: &UnixStream| send_file(client, &progress);
            let copied = copy(&client, service.timeout, stop, send_file);
            drop(client);
            log(format!(
                "client {number} {}",
                ending(&copied, service, stop)
            ));
            if copied.is_err() {
                broken.fetch_add(1, Ordering::Relaxed);
            } else if permit.retire() {
                listener.stopper().stop();
            }
        },
        |number, _| {
            if !permits.is_closed() {
                broken.fetch_add(1, Ordering::Relaxed);
                log(format!(
                    "client {number} cannot be served: no thread for it"
                ));
            }
        },
    )?;
    match broken.into_inner() {
        0 => Ok(()),
        _ if stop.is_requested() => Ok(()),
        broken => Err(io::Error::other(format!("{broken} copies were broken off"))),
    }
}

/// Sends the file to one client and waits until the client closes, which says that it has every byte.
/// Returns how many bytes the file has.
fn copy(
    client: &Arc<UnixStream>,
    timeout: Duration,
    stop: &StopToken,
    send_file: impl Fn(&UnixStream) -> io::Result<u64>,
) -> io::Result<u64> {
    let waking = Arc::clone(client);
    let _waker = stop.on_stop(move || drop(waking.shutdown(Shutdown::Both)));
    let timeout = Some(timeout.max(Duration::from_millis(1)));
    client.set_write_timeout(timeout)?;
    client.set_read_timeout(timeout)?;
    let length = send_file(client)?;
    end_sending(client)?;
    match recv(&mut &**client, &mut [0])? {
        Received::End => Ok(length),
        Received::Bytes(_) => Err(io::Error::other("it talks, where it should listen")),
        Received::Reset => Err(ErrorKind::ConnectionReset.into()),
    }
}

/// How a copy ended, in the words of the log.
fn ending(copied: &io::Result<u64>, service: Service, stop: &StopToken) -> String {
    let error = match copied {
        Ok(length) => return format!("has all {length} bytes"),
        Err(_) if stop.is_requested() => return "was broken off".into(),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::WouldBlock => {
            let limit = service.timeout.as_secs_f32();
            format!("has stalled for {limit} s and was dropped")
        }
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => "has gone before its end".into(),
        _ => format!("failed: {error}"),
    }
}
