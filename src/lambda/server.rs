//! The server: takes a client, learns what it wants, runs it, tells where the output is.

use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::{fmt, fs};

use super::descriptors::{self, Plan};
use super::function::{Ended, Runner};
use super::library::{self, Runtime};
use super::output::{Output, Outputs};
use super::protocol::{MESSAGE_LEN, Malformed, Request, error_line, shown};
use super::slots::Slots;
use super::warden::Warden;
use crate::error::Context;
use crate::interrupt::Interrupt;
use crate::notice::notice;
use crate::socket::{Listener, Received, close, recv, send};

/// How long an answer may wait for room. It is the only one on its connection, so there is room.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// How long a function may run, usually.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How much of what a function prints is kept, usually, in bytes: 64 MiB.
pub const MAX_OUTPUT: u64 = 64 << 20;

/// How a server runs functions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of output files; it is made if it is not there, but not those above it.
    pub output_dir: PathBuf,
    /// The programs for libraries that are not executables; the first that fits is taken.
    pub runtimes: Vec<Runtime>,
    /// The directories that libraries may be in or below; none for any.
    pub allow: Vec<PathBuf>,
    /// How many functions run at once; `None` for as many as seem good.
    pub max_running: Option<usize>,
    /// How long a function may run, and a client may take to say what it wants.
    pub timeout: Duration,
    /// How much of what a function prints is kept, in bytes.
    pub max_output: u64,
}

impl Settings {
    /// The usual settings: every executable may be run, for [`TIMEOUT`], and print [`MAX_OUTPUT`].
    pub fn new(output_dir: impl Into<PathBuf>) -> Self {
        Self {
            output_dir: output_dir.into(),
            runtimes: Vec::new(),
            allow: Vec::new(),
            max_running: None,
            timeout: TIMEOUT,
            max_output: MAX_OUTPUT,
        }
    }
}

/// Serves the clients of `listener` until `interrupt` is raised. Then functions at work get two more
/// seconds, and who waits for one is sent away.
///
/// ```
/// use ipc_primer::interrupt::Interrupt;
/// use ipc_primer::lambda::{Settings, client, protocol::Request, serve};
/// use ipc_primer::socket::listen;
///
/// let place = tempfile::tempdir()?;
/// let (path, outputs) = (place.path().join("lambda.sock"), place.path().join("outputs"));
/// let interrupt = Interrupt::new();
/// let (listener, ending) = (listen(&path)?, interrupt.clone());
/// let server = std::thread::spawn(move || serve(&listener, &Settings::new(outputs), &ending));
///
/// let request = Request::new("/bin/echo", Some("hello"), None).unwrap();
/// let output = client::invoke(&path, &request, &interrupt)?.unwrap();
/// assert_eq!(std::fs::read_to_string(output)?, "hello\n");
///
/// interrupt.raise();
/// server.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// - Those of [`Listener::accept`], of the directories and of starting `sh`.
/// - [`ErrorKind::InvalidInput`]: there are too few descriptors for so many functions at once.
pub fn serve(listener: &Listener, settings: &Settings, interrupt: &Interrupt) -> io::Result<()> {
    let plan = descriptors::plan(settings.max_running, !settings.allow.is_empty())?;
    let server = Arc::new(Server::new(settings, &plan, interrupt)?);
    let _stop = listener.stop_on(interrupt);
    let ending = Arc::clone(&server);
    let _end = interrupt.on_raise(move || ending.end());
    notice(format!("listening on {}", listener.path().display())); // only now is all ready
    thread::scope(|scope| {
        scope.spawn(|| server.runner.warden.keep_time());
        let ended = accept_all(listener, &server);
        if ended.is_err() {
            interrupt.raise();
        }
        server.runner.crew.finish(); // the warden keeps time until the last client has gone
        server.runner.warden.close();
        ended
    })
}

/// Takes clients as long as there is a seat. Without one the rest waits in the backlog: they have
/// connected and may send, and take none of our descriptors.
fn accept_all(listener: &Listener, server: &Arc<Server>) -> io::Result<()> {
    let mut number = 0;
    while let Some(stream) = listener.accept()? {
        number += 1;
        let stream = Arc::new(stream);
        let Some(seat) = server.seats.take(number) else {
            close(&stream); // Ctrl-C: a close for all who had connected, even if we had not seen them
            continue;
        };
        let serving = Arc::clone(server);
        let serve = move || {
            let ending = serving.converse(number, &stream);
            close(&stream);
            drop((stream, seat));
            notice(format!("client {number}{ending}"));
        };
        if let Err(error) = server.runner.crew.run(serve) {
            notice(format!("client {number} was sent away: {error}"));
        }
    }
    Ok(())
}

struct Server {
    allow: Vec<PathBuf>,
    runtimes: Vec<Runtime>,
    outputs: Outputs,
    seats: Arc<Slots>,
    turns: Arc<Slots>,
    runner: Runner,
    timeout: Duration,
    interrupt: Interrupt,
}

impl Server {
    fn new(settings: &Settings, plan: &Plan, interrupt: &Interrupt) -> io::Result<Self> {
        let allow = settings.allow.iter().map(|directory| {
            let sentence = || format!("cannot allow {}", directory.display());
            fs::canonicalize(directory).context(sentence)
        });
        Ok(Self {
            allow: allow.collect::<io::Result<_>>()?,
            runtimes: settings.runtimes.clone(),
            outputs: Outputs::in_directory(&settings.output_dir)?,
            seats: Slots::new(plan.clients),
            turns: Slots::new(plan.running),
            runner: Runner {
                crew: Arc::default(),
                warden: Arc::new(Warden::start(settings.timeout)?),
                max_output: settings.max_output,
                starts: Slots::new(plan.starting),
            },
            timeout: settings.timeout,
            interrupt: interrupt.clone(),
        })
    }

    /// Sends away who waits, and gives who is at work a last moment.
    fn end(&self) {
        self.seats.close();
        self.turns.close();
        self.runner.warden.end();
    }

    /// Does all that is done for one client.
    fn converse(&self, number: u64, stream: &Arc<UnixStream>) -> Ending {
        let message = match self.receive(stream) {
            Ok(Some(message)) => message,
            Ok(None) => return Ending::Left,
            Err(error) => return Ending::Failed(error),
        };
        // Each answer holds a file open, so what is wrong with a message waits its turn too.
        let Some(_turn) = self.turns.take(number) else {
            return Ending::SentAway;
        };
        let answered = self.outputs.create().and_then(|output| {
            let done = self.work(number, &message, &output)?;
            let told = answer(stream, output)?;
            Ok(if told { done } else { Ending::Left })
        });
        answered.unwrap_or_else(Ending::Failed)
    }

    /// Receives the message, which is what the first read brings; `None` from a client that has gone.
    ///
    /// Nothing at all before the client's half-close is a message too: an empty one.
    fn receive(&self, stream: &Arc<UnixStream>) -> io::Result<Option<Vec<u8>>> {
        let reading = Arc::clone(stream);
        let _waker = self
            .interrupt
            .on_raise(move || drop(reading.shutdown(Shutdown::Read)));
        stream.set_read_timeout(Some(self.timeout))?;
        let mut message = vec![0; MESSAGE_LEN + 1]; // one byte for the newline, or to see what is too long
        let count = match recv(&mut &**stream, &mut message)? {
            Received::Bytes(count) => count,
            Received::End => 0,
            Received::Reset => return Ok(None),
        };
        message.truncate(count);
        Ok(Some(message))
    }

    /// Does what the message asks for. Whatever comes of it is in the output file; the only error is that
    /// it cannot be written.
    fn work(&self, number: u64, message: &[u8], output: &Output) -> io::Result<Ending> {
        let request = match Request::parse(message) {
            Ok(request) => request,
            Err(fault) => {
                output.replace(&error_line(&shown(message)))?;
                return Ok(Ending::Refused(fault));
            }
        };
        let asked = request.to_string();
        let call = library::call(&request, &self.allow, &self.runtimes);
        let ended = self.runner.run(number, &asked, call, output)?;
        Ok(Ending::Answered(asked, ended))
    }
}

/// Tells the client where its output is. If it has gone, nobody will ever know, and the file goes too:
/// then it says so.
fn answer(stream: &UnixStream, output: Output) -> io::Result<bool> {
    stream.set_write_timeout(Some(SEND_LIMIT))?;
    match send(&mut &*stream, output.path().as_os_str().as_bytes()) {
        Ok(()) => {
            output.keep();
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// How a conversation ended, as the log has it.
enum Ending {
    Answered(String, Ended),
    Refused(Malformed),
    Left,
    SentAway,
    Failed(io::Error),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered(asked, ended) => write!(f, ": {asked} {ended}"),
            Self::Refused(fault) => write!(f, ": {fault}"),
            Self::Left => f.write_str(" left before its answer"),
            Self::SentAway => f.write_str(" was sent away: the server is shutting down"),
            Self::Failed(error) if error.kind() == ErrorKind::WouldBlock => {
                f.write_str(" said nothing for too long")
            }
            Self::Failed(error) => write!(f, " failed: {error}"),
        }
    }
}
