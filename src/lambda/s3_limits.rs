//! Stage 3: a server that sets limits on functions, and leaves none of their processes behind.
//!
//! What broke: at stage 2 a function that never ends (`ipc lambda invoke /bin/sleep 1000`) holds its client and
//! its thread forever, one that prints forever (`/bin/yes`) fills the disk, and one that starts a process in
//! the background leaves that process behind. `kill -9` of the server leaves all functions behind.
//!
//! What this adds: a time limit for functions and silent clients; a copy of the output that stops at a limit; a
//! limit on how many functions run at a time, with turns in the order of arrival; a watchdog that kills whole
//! process groups, even after `kill -9` of the server itself; and rules for which libraries may be run
//! (`--allow`), by which programs (`--runtime`).
//!
//! What it costs: 80 more lines here, three files beside it, one more thread per function, one shell per server.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::descriptors;
use super::ending::Ending;
use super::function::Functions;
use super::library::{self, Runtime};
use super::output::{Output, Outputs};
use super::protocol::{MESSAGE_LEN, Request, error_line, escaped};
use super::watchdog::Watchdog;
use crate::socket::{Listener, Received, WhenFull, accept_loop, close, recv, send};
use crate::stop::StopToken;
use crate::support::error::Context;
use crate::support::log::log;
use crate::support::permits::Permits;

/// How long an answer may wait for room. It is the only one on its connection, so there is room.
const SEND_LIMIT: Duration = Duration::from_secs(1);

/// How long a function may run by default.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// How many bytes of a function's output are kept by default: 64 MiB.
pub const MAX_OUTPUT: u64 = 64 << 20;

/// How a server runs functions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of output files; it is made if it is not there, but its parents are not.
    pub output_dir: PathBuf,
    /// The programs for libraries that are not executables; the first that fits is used.
    pub runtimes: Vec<Runtime>,
    /// The directories that libraries may be in or below; if it is empty, libraries may be anywhere.
    pub allow: Vec<PathBuf>,
    /// How many functions run at a time; if `None`, the server chooses.
    pub max_running: Option<usize>,
    /// How long a function may run, and a client may take to send its message.
    pub timeout: Duration,
    /// How many bytes of a function's output are kept.
    pub max_output: u64,
}

impl Settings {
    /// The default settings: every executable may be run, for [`TIMEOUT`], and print [`MAX_OUTPUT`].
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

/// Serves the clients of `listener` until `stop` is requested. Then running functions get a last
/// moment, 0.3 seconds, and clients that wait for their turn are sent away.
///
/// ```
/// use ipc_primer::stop::StopToken;
/// use ipc_primer::lambda::{Settings, client, protocol::Request, serve};
/// use ipc_primer::socket::listen;
///
/// let place = tempfile::tempdir()?;
/// let (path, outputs) = (place.path().join("lambda.sock"), place.path().join("outputs"));
/// let stop = StopToken::new();
/// let (listener, ending) = (listen(&path)?, stop.clone());
/// let server = std::thread::spawn(move || serve(&listener, &Settings::new(outputs), &ending));
///
/// let request = Request::new("/bin/echo", Some("hello"), None).unwrap();
/// let output = client::invoke(&path, &request, &stop)?.unwrap();
/// assert_eq!(std::fs::read_to_string(output)?, "hello\n");
///
/// stop.request_stop();
/// server.join().unwrap()?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// - Those of [`Listener::accept`], of the directories and of starting `sh`.
/// - [`ErrorKind::InvalidInput`]: there are too few descriptors for so many functions at a time.
pub fn serve(listener: &Listener, settings: &Settings, stop: &StopToken) -> io::Result<()> {
    let server = Arc::new(Server::new(settings, stop)?);
    let ending = Arc::clone(&server);
    let _end = stop.on_stop(move || ending.end());
    log(format!("listening on {}", listener.path().display())); // only now is everything ready
    thread::scope(|scope| {
        let watchdog = &server.functions.watchdog;
        thread::Builder::new().spawn_scoped(scope, || watchdog.keep_time())?;
        let ended = accept_loop(
            listener,
            server.max_clients,
            WhenFull::Wait,
            stop,
            |number, client| {
                let ending = server.converse(number, client);
                close(client);
                format!("client {number}{ending}")
            },
            |number, client| {
                close(client);
                format!("client {number} was sent away")
            },
        );
        watchdog.close(); // which kills late functions until the last client is served
        ended
    })
}

struct Server {
    settings: Settings,
    outputs: Outputs,
    max_clients: usize,
    running: Arc<Permits>,
    functions: Functions,
    stop: StopToken,
}

impl Server {
    fn new(settings: &Settings, stop: &StopToken) -> io::Result<Self> {
        let keeps_libraries = !settings.allow.is_empty();
        let (max_clients, running) = descriptors::plan(settings.max_running, keeps_libraries)?;
        let allow = settings.allow.iter().map(|directory| {
            let sentence = || format!("cannot allow {}", directory.display());
            fs::canonicalize(directory).context(sentence)
        });
        Ok(Self {
            settings: Settings {
                allow: allow.collect::<io::Result<_>>()?,
                ..settings.clone()
            },
            outputs: Outputs::in_directory(&settings.output_dir)?,
            max_clients,
            running: Permits::new(running),
            functions: Functions {
                watchdog: Watchdog::start(settings.timeout)?,
                max_output: settings.max_output,
                starting: Permits::new(descriptors::STARTING),
            },
            stop: stop.clone(),
        })
    }

    /// Sends the waiting clients away, and gives the running functions a last moment.
    fn end(&self) {
        self.running.close();
        self.functions.watchdog.end();
    }

    /// Serves one client, from its message to its answer.
    fn converse(&self, number: u64, client: &Arc<UnixStream>) -> Ending {
        let message = match self.receive(client) {
            Ok(Some(message)) => message,
            Ok(None) => return Ending::Left,
            Err(error) => return Ending::Failed(error),
        };
        // Each answer holds a file open, so the answer to a malformed message waits its turn too.
        let Some(_turn) = self.running.take(number) else {
            return Ending::SentAway;
        };
        let answered = self.outputs.create().and_then(|output| {
            let done = self.work(number, &message, &output)?;
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
        client.set_read_timeout(Some(self.settings.timeout))?;
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
    fn work(&self, number: u64, message: &[u8], output: &Output) -> io::Result<Ending> {
        let request = match Request::parse(message) {
            Ok(request) => request,
            Err(fault) => {
                output.replace(&error_line(&escaped(message)))?;
                return Ok(Ending::Refused(fault));
            }
        };
        let asked = request.to_string();
        let call = library::call(&request, &self.settings.allow, &self.settings.runtimes);
        let ended = self.functions.run(number, &asked, call, output)?;
        Ok(Ending::Answered(asked, ended))
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
