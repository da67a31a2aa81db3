//! The names of queues, by the rules of `mq_overview(7)`: `/` and at least one byte more, no other `/`.

use super::error::Error;
use super::layout::FORMAT;
use crate::shm;

/// The prefix of our segments' names.
const PREFIX: &str = "queue.";
/// `NAME_MAX`, less the prefix of the file's name: `ipc-primer-queue.`.
pub(super) const MAX_LEN: usize = 255 - "ipc-primer-".len() - PREFIX.len();

/// The name of the segment that holds the queue `name`, checked in the order in which `mq_open(3)` and
/// the kernel check theirs.
pub(super) fn segment(name: &str) -> Result<String, Error> {
    let rest = name.strip_prefix('/');
    let rest = rest.ok_or_else(|| {
        Error::Invalid(format!(
            "{name:?} is no queue's name, which begins with a /"
        ))
    })?;
    if rest.is_empty() {
        return Err(Error::NotFound("no queue has the name \"/\"".into()));
    } else if rest.contains('\0') {
        return Err(Error::Invalid(format!(
            "a queue's name holds no NUL: {name:?}"
        )));
    } else if rest.len() > MAX_LEN {
        let len = rest.len();
        return Err(Error::NameTooLong {
            len,
            limit: MAX_LEN,
        });
    } else if rest.contains('/') || matches!(rest, "." | "..") {
        let rule = "a queue's name holds no second /, and is not . or ..";
        return Err(Error::AccessDenied(format!("{rule}: {name:?}")));
    }
    Ok(format!("{PREFIX}{rest}"))
}

/// The names of all existing queues, sorted: `ls /dev/mqueue`.
///
/// # Errors
/// Those of reading the directory of shared memory objects.
pub fn list() -> Result<Vec<String>, Error> {
    let segments = shm::names(PREFIX)?;
    let mut names: Vec<_> = segments
        .iter()
        .map(|name| format!("/{}", &name[PREFIX.len()..]))
        .collect();
    names.sort();
    Ok(names)
}

/// Removes the name of a queue. The processes that have it open keep it until the last one closes
/// it; no other process can find it, and a new queue may be made under the name immediately.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AccessDenied`], [`Error::NameTooLong`], [`Error::Invalid`], as for
/// [`OpenOptions::open`](super::OpenOptions::open); [`Error::NotAQueue`], [`Error::OtherVersion`]
/// and [`Error::OtherNamespace`]: the object there is not ours to remove.
#[doc(alias = "mq_unlink")]
pub fn unlink(name: &str) -> Result<(), Error> {
    let removed = shm::unlink(&segment(name)?, FORMAT);
    removed.map_err(|error| Error::from(error).about(name))
}
