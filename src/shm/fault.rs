//! What makes a segment unfit to be used, where the kind of the error does not say enough.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::{error, fmt};

/// What is wrong with a segment that cannot be opened, though it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Another program made it, or it is used for something else.
    Foreign,
    /// Another version of this program made it.
    OtherVersion,
    /// Processes of another PID or time namespace use it: which of them live cannot be told from here.
    OtherNamespace,
    /// It is shorter than its header says.
    CutOff,
    /// It is being made, or was by a process that was killed.
    Unfinished,
}

/// What makes the segment unfit, if that is what an error of this room is about.
pub fn fault_of(error: &io::Error) -> Option<Fault> {
    let inner = error.get_ref()?;
    match inner.downcast_ref::<Unfit>() {
        Some(unfit) => Some(unfit.fault),
        None => inner.downcast_ref().and_then(fault_of),
    }
}

#[derive(Debug)]
struct Unfit {
    fault: Fault,
    message: String,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Unfit {}

pub(super) fn unfit(path: &Path, fault: Fault, what: &str) -> io::Error {
    let way_out = match fault {
        Fault::Unfinished => "wait, or start its maker again",
        Fault::OtherNamespace => {
            "use it from there, remove it if no process there needs it, or choose another name"
        }
        _ => "remove it, if nobody needs it, or choose another name",
    };
    let message = format!("{} {what}; {way_out}", show(path));
    io::Error::new(ErrorKind::InvalidData, Unfit { fault, message })
}

/// The error of a segment that is being made, or was by a killed process.
pub(super) fn unfinished(path: &Path) -> io::Error {
    let what = "is not ready: it is being made, or its maker was killed";
    unfit(path, Fault::Unfinished, what)
}

/// Whether the segment may be whole when it is looked at again.
pub(super) fn is_unfinished(error: &io::Error) -> bool {
    fault_of(error) == Some(Fault::Unfinished)
}

pub(super) fn show(path: &Path) -> String {
    format!("the shared memory segment {}", path.display())
}
