//! `create_socket` of note 0, the server's side: create, name, bind, listen, and finally clean up.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::address::check_path;
use super::lock::LockFile;
use crate::stop::{StopToken, Waker};
use crate::support::error::Context;
use crate::support::log::log;
use crate::support::unlink_on_drop::UnlinkOnDrop;

/// How long to wait for a socket file's server to let us in before we believe that it is busy.
const PROBE_LIMIT: Duration = Duration::from_millis(500);
/// How long to leave clients waiting in the backlog when there is no descriptor for one more.
const PAUSE: Duration = Duration::from_millis(10);
/// How often a stopped listener pauses before it gives up the clients that still wait.
const LAST_TRIES: u32 = 50;

/// Creates a listening socket named `path`: `socket(2)`, `bind(2)`, `listen(2)`, mode 0600.
///
/// Of many simultaneous callers exactly one gets the path. A socket file without a server, such as
/// a killed server leaves, is removed first; a file that is not a socket never is.
///
/// ```
/// use ipc_primer::socket::{connect, listen};
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("a.sock");
/// let listener = listen(&path)?;
/// let _client = connect(&path)?;
/// assert!(listener.accept()?.is_some());
/// drop(listener);
/// assert!(!path.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// - [`ErrorKind::AddrInUse`]: another server is listening there.
/// - [`ErrorKind::AlreadyExists`]: the file there is not a socket.
/// - [`ErrorKind::NotFound`], [`ErrorKind::PermissionDenied`]: its directory is missing or is not ours.
/// - [`ErrorKind::InvalidInput`]: as for [`connect`](super::connect()).
#[doc(alias = "socket")]
#[doc(alias = "SOCK_STREAM")]
#[doc(alias = "unlink")]
#[doc(alias = "SO_REUSEADDR")]
#[doc(alias = "create_socket")]
#[doc(alias = "bind")]
pub fn listen(path: &Path) -> io::Result<Listener> {
    check_path(path)?;
    let lock = LockFile::take(path)?.ok_or_else(|| in_use(path))?;
    remove_stale(path)?;
    let sentence = || format!("cannot make a socket at {}", path.display());
    let socket = UnixListener::bind(path).context(sentence)?;
    let file = UnlinkOnDrop::at(path).context(sentence)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).context(sentence)?;
    let stopper = Stopper::new(&socket).context(sentence)?;
    Ok(Listener {
        socket,
        file,
        stopper,
        is_short: AtomicBool::new(false),
        _lock: lock,
    })
}

/// A listening socket: note 4's *master socket* or *connection socket*. Dropping it removes its file,
/// if the file is still its own: `unlink(2)`.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    file: UnlinkOnDrop,
    stopper: Stopper,
    /// Whether the log already says that there is no descriptor for a new client.
    is_short: AtomicBool,
    _lock: LockFile, // dropped last: the next holder finds no file of ours
}

impl Listener {
    /// Waits for a client and returns the connected socket: `accept(2)`, whose return value is note
    /// 4's *client handle* or *data socket*. Returns `None` once the listener is [stopped](Stopper)
    /// and all clients that connected before have been returned.
    ///
    /// Without a descriptor for another client (`EMFILE`) it leaves the clients in the backlog and
    /// tries again a moment later: an error would end the server for the clients it has. A stopped listener
    /// tries again for half a second.
    ///
    /// # Errors
    /// Those of `accept(2)` that are not temporary.
    pub fn accept(&self) -> io::Result<Option<UnixStream>> {
        let mut last_tries = LAST_TRIES;
        loop {
            let stopped = self.stopper.is_stopped();
            match self.socket.accept() {
                Ok((stream, _)) => {
                    self.is_short.store(false, Ordering::Relaxed);
                    return Ok(Some(stream));
                }
                Err(error) if is_shortage(&error) && last_tries > 0 => {
                    last_tries -= u32::from(stopped);
                    self.leave_waiting(&error);
                }
                Err(_) if self.stopper.is_stopped() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Pauses so that a descriptor may become free. Logs each shortage once.
    fn leave_waiting(&self, shortage: &io::Error) {
        if !self.is_short.swap(true, Ordering::Relaxed) {
            log(format!("a new client would have to wait: {shortage}"));
        }
        thread::sleep(PAUSE);
    }

    /// The path that the socket is bound to.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// A handle that wakes [`accept`](Self::accept) from another thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Stops the listener when a stop is requested, as long as the [`Waker`] is kept.
    #[must_use = "dropping the waker takes it back"]
    pub fn stop_on(&self, stop: &StopToken) -> Waker {
        let stopper = self.stopper();
        stop.on_stop(move || stopper.stop())
    }
}

/// Stops a [`Listener`] from any thread.
#[derive(Clone, Debug)]
pub struct Stopper {
    stopped: Arc<AtomicBool>,
    socket: Arc<UnixStream>,
}

impl Stopper {
    /// Keeps a descriptor of its own from the start: when it is needed, there may be none left.
    fn new(listener: &UnixListener) -> io::Result<Self> {
        // `shutdown(2)` works on any socket, but std has it for streams only.
        let socket = UnixStream::from(OwnedFd::from(listener.try_clone()?));
        Ok(Self {
            stopped: Arc::default(),
            socket: Arc::new(socket),
        })
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Takes no more connections, and wakes a thread that waits in [`Listener::accept`]: `shutdown(2)` of the
    /// listening socket, upon which a blocked `accept(2)` fails with `EINVAL`.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst); // first: a thread that is woken looks at it
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

fn in_use(path: &Path) -> io::Error {
    let path = path.display();
    let message = format!("another server is listening at {path}; stop it or pass --socket");
    io::Error::new(ErrorKind::AddrInUse, message)
}

/// Step 1 of note 4's server: removes a socket that a killed server left, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).context(|| format!("cannot look at {shown}")),
        Ok(found) if !found.file_type().is_socket() => {
            let message = format!("{shown} is not a socket; move it away or pass --socket");
            Err(io::Error::new(ErrorKind::AlreadyExists, message))
        }
        Ok(_) if is_served(path)? => Err(in_use(path)),
        Ok(_) => fs::remove_file(path).context(|| format!("cannot remove the stale {shown}")),
    }
}

/// Whether a server that is not of this crate is behind a socket file whose lock is free.
/// Only a refused connection means no. The attempt has its own thread, because it blocks when the
/// server's backlog is full.
fn is_served(path: &Path) -> io::Result<bool> {
    let (tell, told) = mpsc::channel();
    let path = path.to_owned();
    let attempt = move || tell.send(UnixStream::connect(path).map_err(|error| error.kind()));
    thread::Builder::new().spawn(attempt)?;
    let answer = told.recv_timeout(PROBE_LIMIT);
    Ok(!matches!(answer, Ok(Err(ErrorKind::ConnectionRefused))))
}

/// Whether an error of `accept(2)` is a shortage that passes when a client leaves: `EMFILE`,
/// `ENFILE`, `ENOBUFS`, `ENOMEM`. std has no stable kind for the first three.
fn is_shortage(error: &io::Error) -> bool {
    const ENOMEM: i32 = 12;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 105;
    matches!(
        error.raw_os_error(),
        Some(ENOMEM | ENFILE | EMFILE | ENOBUFS)
    )
}
