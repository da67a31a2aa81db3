//! `create_socket` of note 0, the server's side: create, name, bind, listen, and one day clean up.

use std::fs::{self, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::address::check_path;
use super::lock::LockFile;
use crate::error::Context;
use crate::interrupt::{Interrupt, Waker};
use crate::notice::notice;

/// How long a socket file's server may take to let us in before we believe that it is busy.
const PROBE_LIMIT: Duration = Duration::from_secs(1);
/// How long to leave clients waiting in the backlog when there are no descriptors for them.
const PAUSE: Duration = Duration::from_millis(100);

/// Creates a listening socket named `path`: `socket(2)`, `bind(2)`, `listen(2)`, mode 0600.
///
/// Of many callers at one instant exactly one gets the path. A socket file that nobody serves, as
/// a killed server leaves it, is removed first; a file that is not a socket never is.
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
/// - [`ErrorKind::AlreadyExists`]: what is there is not a socket.
/// - [`ErrorKind::NotFound`], [`ErrorKind::PermissionDenied`]: its directory is missing or is not ours.
/// - [`ErrorKind::InvalidInput`]: as for [`connect`](super::connect()).
#[doc(alias = "create_socket")]
#[doc(alias = "bind")]
pub fn listen(path: &Path) -> io::Result<Listener> {
    check_path(path)?;
    let lock = LockFile::take(path)?.ok_or_else(|| in_use(path))?;
    remove_stale(path)?;
    let socket = UnixListener::bind(path)
        .context(|| format!("cannot make a socket at {}", path.display()))?;
    let file = identity(&fs::symlink_metadata(path)?);
    let stopper = Stopper::new(&socket)?;
    let listener = Listener {
        socket,
        path: path.to_owned(),
        file,
        stopper,
        _lock: lock,
    };
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A listening socket: note 4's *master socket* or *connection socket*. Dropping it removes its file,
/// if the file is still its own.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
    file: (u64, u64),
    stopper: Stopper,
    _lock: LockFile, // dropped after `drop` has removed the socket file
}

impl Listener {
    /// Waits for a client and returns the connected socket: `accept(2)`, whose return value is note
    /// 4's *client handle* or *data socket*. Returns `None` once the listener was [stopped](Stopper)
    /// and all who had connected before were handed out.
    ///
    /// Without a descriptor for another client (`EMFILE`) it leaves the clients in the backlog and
    /// tries again a moment later: failing would end the server for those it has.
    ///
    /// # Errors
    /// Those of `accept(2)` that do not pass.
    pub fn accept(&self) -> io::Result<Option<UnixStream>> {
        loop {
            match self.socket.accept() {
                Ok((stream, _)) => return Ok(Some(stream)),
                Err(_) if self.stopper.stopped.is_raised() => return Ok(None),
                Err(error) if passes(&error) => {
                    notice(format!("new clients have to wait: {error}"));
                    self.stopper.stopped.wait_timeout(PAUSE);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The path that the socket is bound to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What wakes [`accept`](Self::accept) from another thread.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Stops the listener when `interrupt` is raised, as long as the [`Waker`] is kept.
    #[must_use = "dropping the waker takes it back"]
    pub fn stop_on(&self, interrupt: &Interrupt) -> Waker {
        let stopper = self.stopper();
        interrupt.on_raise(move || stopper.stop())
    }
}

impl Drop for Listener {
    #[doc(alias = "unlink")]
    fn drop(&mut self) {
        let own = |found: Metadata| identity(&found) == self.file;
        if fs::symlink_metadata(&self.path).is_ok_and(own) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Stops a [`Listener`] from any thread.
#[derive(Clone, Debug)]
pub struct Stopper {
    stopped: Interrupt,
    socket: Arc<UnixStream>,
}

impl Stopper {
    /// Keeps a descriptor of its own from the start: when it is needed, there may be none left.
    fn new(listener: &UnixListener) -> io::Result<Self> {
        // `shutdown(2)` works on any socket, but std has it for streams only.
        let socket = UnixStream::from(OwnedFd::from(listener.try_clone()?));
        Ok(Self {
            stopped: Interrupt::new(),
            socket: Arc::new(socket),
        })
    }

    /// Takes no more connections, and wakes who waits in [`Listener::accept`]: `shutdown(2)` of the
    /// listening socket, upon which a blocked `accept(2)` fails with `EINVAL`.
    pub fn stop(&self) {
        self.stopped.raise(); // first: who is woken looks at it
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

fn in_use(path: &Path) -> io::Error {
    let path = path.display();
    let message = format!("another server is listening at {path}; stop it or pass --socket");
    io::Error::new(ErrorKind::AddrInUse, message)
}

/// Step 1 of note 4's server: removes what a killed server left, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).context(|| format!("cannot look at {shown}")),
        Ok(found) if !found.file_type().is_socket() => {
            let message = format!("{shown} is not a socket; move it away or pass --socket");
            Err(io::Error::new(ErrorKind::AlreadyExists, message))
        }
        Ok(_) if is_served(path) => Err(in_use(path)),
        Ok(_) => fs::remove_file(path).context(|| format!("cannot remove the stale {shown}")),
    }
}

/// Whether anybody is behind a socket file whose lock is free: a server that is not of this crate.
/// Only a refused connection says no. The attempt has a thread of its own, for it blocks when the
/// server's backlog is full.
fn is_served(path: &Path) -> bool {
    let (tell, told) = mpsc::channel();
    let path = path.to_owned();
    thread::spawn(move || tell.send(UnixStream::connect(path).map_err(|error| error.kind())));
    !matches!(
        told.recv_timeout(PROBE_LIMIT),
        Ok(Err(ErrorKind::ConnectionRefused))
    )
}

/// Whether an error of `accept(2)` is a shortage that passes when a client leaves: `EMFILE`,
/// `ENFILE`, `ENOBUFS`, `ENOMEM`. std has no stable kind for the first three.
fn passes(error: &io::Error) -> bool {
    const ENOMEM: i32 = 12;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = 105;
    error.kind() == ErrorKind::Interrupted
        || matches!(
            error.raw_os_error(),
            Some(ENOMEM | ENFILE | EMFILE | ENOBUFS)
        )
}
