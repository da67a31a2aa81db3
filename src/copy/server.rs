//! Copy by sockets, the side that has the file: a thread a client, so that all are served at once.
//!
//! The note's server forks a child a client; a thread does the same and shares the open file. The note
//! sends byte by byte: that is `chunk` 1, and the default shows what larger ones are worth.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::num::NonZero;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Scope};
use std::time::Duration;

use super::eager::Eager;
use super::source::Source;
use super::window::Window;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::progress::Progress;
use crate::socket::{Listener, Received, end_sending, recv, send};

/// How many bytes are read and sent at a time unless somebody says otherwise. The chapter measures why.
pub const CHUNK: usize = 128 * 1024;
/// The largest chunk. Every client costs one.
pub const MAX_CHUNK: usize = 16 * 1024 * 1024;
/// How long a client may read nothing unless somebody says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// So many clients for each processor are a crowd: there is work for all processors while some wait.
const CROWD: usize = 2;

/// How to serve.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// End after so many whole copies; without end if `None`.
    pub peers: Option<usize>,
    /// How many bytes to read and send at a time, at least 1.
    pub chunk: usize,
    /// How long a client may read nothing before it is dropped, at least a millisecond.
    pub timeout: Duration,
}

/// Sends `source` to every client of `listener`, until `service.peers` have it or `interrupt` is
/// raised. With `peers`, so many are served at a time and the rest wait.
///
/// # Errors
/// Those of [`Listener::accept`]; and at the end, one that says how many copies were broken off. A copy
/// is whole when the client closes after its last byte.
pub fn serve(
    listener: &Listener,
    source: &Source,
    service: Service,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let _waker = listener.stop_on(interrupt);
    let chunk = service.chunk.max(1);
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let server = Server {
        source,
        service,
        window: Window::new(source, chunk, CROWD * processors),
        interrupt,
        progress: Progress::on_stderr(),
        tally: Tally::default(),
    };
    thread::scope(|scope| {
        let ended = server.accept_all(scope, listener);
        if ended.is_err() {
            interrupt.raise(); // the scope waits for every thread, and so for every client
        }
        ended
    })?;
    match server.tally.counts().broken {
        0 => Ok(()),
        _ if interrupt.is_raised() => Ok(()),
        broken => Err(io::Error::other(format!("{broken} copies were broken off"))),
    }
}

struct Server<'a> {
    source: &'a Source,
    service: Service,
    window: Window<'a>,
    interrupt: &'a Interrupt,
    progress: Progress,
    tally: Tally,
}

impl Server<'_> {
    fn accept_all<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        listener: &Listener,
    ) -> io::Result<()> {
        let mut number = 0u64;
        while self.tally.wait_for_room(self.service.peers) {
            let Some(stream) = listener.accept()? else {
                break;
            };
            number += 1;
            self.tally.begin();
            let serve = move || {
                let copied = self.copy(&Arc::new(stream));
                self.report(number, &copied);
                self.tally.end(copied.is_ok());
            };
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, serve) {
                notice(format!("client {number} cannot be served: {error}"));
                self.tally.end(false);
            }
        }
        Ok(())
    }

    /// Sends the file to one client and waits until it closes, which says that it has all of it.
    fn copy(&self, stream: &Arc<UnixStream>) -> io::Result<u64> {
        let waking = Arc::clone(stream);
        let _waker = self
            .interrupt
            .on_raise(move || drop(waking.shutdown(Shutdown::Both)));
        let mut stream = &**stream;
        let timeout = Some(self.service.timeout.max(Duration::from_millis(1)));
        stream.set_write_timeout(timeout)?;
        stream.set_read_timeout(timeout)?;
        let header = self.source.header()?;
        send(&mut stream, &header.line())?;
        self.progress.expect(header.length);
        self.send_bytes(stream, header.length)?;
        end_sending(stream)?;
        match recv(&mut stream, &mut [0])? {
            Received::End => Ok(header.length),
            Received::Bytes(_) => Err(io::Error::other("it talks, where it should listen")),
            Received::Reset => Err(ErrorKind::ConnectionReset.into()),
        }
    }

    fn send_bytes(&self, stream: &UnixStream, length: u64) -> io::Result<()> {
        let mut stream = Eager::new(stream);
        let mut chunks = self.window.chunks(length);
        while let Some(chunk) = chunks.next()? {
            send(&mut stream, &chunk)?;
            self.progress.add(chunk.len() as u64);
        }
        self.source.note_growth(length);
        Ok(())
    }

    fn report(&self, number: u64, copied: &io::Result<u64>) {
        notice(match copied {
            Ok(length) => format!("client {number} has all {length} bytes"),
            Err(_) if self.interrupt.is_raised() => format!("client {number} was broken off"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let limit = self.service.timeout.as_secs_f32();
                format!("client {number} has stalled for {limit} s and was dropped")
            }
            Err(error) if is_gone(error) => format!("client {number} has gone before its end"),
            Err(error) => format!("client {number} failed: {error}"),
        });
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    )
}

/// How many copies go on, and how many have ended how.
#[derive(Default)]
struct Tally {
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    active: usize,
    whole: usize,
    broken: usize,
}

impl Tally {
    /// Waits until one more client can be served; false if all peers have their copy.
    fn wait_for_room(&self, peers: Option<usize>) -> bool {
        let Some(peers) = peers else { return true };
        let full = |counts: &mut Counts| counts.active > 0 && counts.active + counts.whole >= peers;
        let waited = self.changed.wait_while(self.counts(), full);
        waited.unwrap_or_else(PoisonError::into_inner).whole < peers
    }

    fn begin(&self) {
        self.counts().active += 1;
    }

    fn end(&self, whole: bool) {
        let mut counts = self.counts();
        counts.active -= 1;
        *(if whole {
            &mut counts.whole
        } else {
            &mut counts.broken
        }) += 1;
        self.changed.notify_all();
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
