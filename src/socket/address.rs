//! Names of sockets: the directory they live in by default, and what a path may be.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::support::error::Context;
use crate::support::identity::own_user;
use crate::support::unlink_on_drop::create_private_dir;

/// The longest path of a socket, in bytes: `sun_path` of `sockaddr_un` holds 108, the last a NUL.
#[doc(alias = "getaddrinfo")]
#[doc(alias = "freeaddrinfo")]
#[doc(alias = "memset")]
#[doc(alias = "strncpy")]
#[doc(alias = "sockaddr_un")]
#[doc(alias = "sun_path")]
pub const MAX_PATH: usize = 107;

/// The directory of this user's sockets, created (mode 0700) if it is missing: `$IPC_PRIMER_DIR`,
/// else `$XDG_RUNTIME_DIR/ipc-primer` where `$XDG_RUNTIME_DIR` is ours, else `/tmp/ipc-primer-<uid>`.
///
/// # Errors
/// [`ErrorKind::PermissionDenied`] if the path is not a directory of ours that only we
/// can write: in `/tmp` another user may have made it first, and would own our sockets.
pub fn directory() -> io::Result<PathBuf> {
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let uid = own_user()?;
    let directory = set("IPC_PRIMER_DIR")
        .or_else(|| below(set("XDG_RUNTIME_DIR")?, uid))
        .unwrap_or_else(|| format!("/tmp/ipc-primer-{uid}").into());
    make_private(&directory, uid)?;
    Ok(directory)
}

/// The path of the socket file `name` in [`directory()`].
///
/// # Errors
/// Those of [`directory()`].
pub fn in_directory(name: &str) -> io::Result<PathBuf> {
    Ok(directory()?.join(name))
}

/// Our directory in `runtime`, if `runtime` is ours: `su` and `sudo` may leave us another user's.
fn below(runtime: PathBuf, uid: u32) -> Option<PathBuf> {
    let is_ours = fs::metadata(&runtime).is_ok_and(|found| found.uid() == uid);
    (runtime.is_absolute() && is_ours).then(|| runtime.join("ipc-primer"))
}

fn make_private(directory: &Path, uid: u32) -> io::Result<()> {
    let way_out = "set IPC_PRIMER_DIR to a directory of your own, or pass --socket";
    let shown = directory.display();
    make_all(directory)
        .context(|| format!("cannot make the socket directory {shown}; {way_out}"))?;
    // Looks at the link itself: a link may point wherever its owner likes.
    let found = fs::symlink_metadata(directory)?;
    let fault = if !found.is_dir() {
        "is not a directory"
    } else if found.uid() != uid {
        "belongs to another user"
    } else if found.permissions().mode() & 0o022 != 0 {
        "can be written by others"
    } else if found.permissions().mode() & 0o700 != 0o700 {
        // It was made under a umask that takes its owner's permissions away.
        return fs::set_permissions(directory, Permissions::from_mode(0o700));
    } else {
        return Ok(());
    };
    let message = format!("the socket directory {shown} {fault}; {way_out}");
    Err(io::Error::new(ErrorKind::PermissionDenied, message))
}

/// Creates the directory, and any missing ones above it.
fn make_all(directory: &Path) -> io::Result<()> {
    match (create_private_dir(directory), directory.parent()) {
        (Err(error), _) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        (Err(error), Some(parent)) if error.kind() == ErrorKind::NotFound => {
            make_all(parent)?;
            create_private_dir(directory)
        }
        (made, _) => made,
    }
}

/// Refuses a path that the kernel would cut off, or take for no name at all.
pub(super) fn check_path(path: &Path) -> io::Result<()> {
    let bytes = path.as_os_str().as_bytes();
    let fault = if bytes.is_empty() {
        "a socket's path cannot be empty".into()
    } else if bytes.contains(&0) {
        format!("a socket's path cannot hold a NUL byte: {path:?}")
    } else if bytes.len() > MAX_PATH {
        let length = bytes.len();
        format!(
            "the socket's path is {length} bytes long and {MAX_PATH} is the limit: {}; \
             choose a shorter one with --socket or IPC_PRIMER_DIR",
            path.display()
        )
    } else {
        return Ok(());
    };
    Err(io::Error::new(ErrorKind::InvalidInput, fault))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn own_uid() -> u32 {
        fs::metadata("/proc/self").unwrap().uid()
    }

    fn refusal(directory: &Path, uid: u32) -> String {
        make_private(directory, uid).unwrap_err().to_string()
    }

    #[test]
    fn a_runtime_directory_of_another_user_is_not_used() {
        let temporary = tempfile::tempdir().unwrap();
        let runtime = temporary.path();
        let ours = below(runtime.into(), own_uid());
        assert_eq!(ours, Some(runtime.join("ipc-primer")));
        assert_eq!(below(runtime.into(), own_uid() + 1), None);
        assert_eq!(below(runtime.join("missing"), own_uid()), None);
        assert_eq!(below(".".into(), own_uid()), None);
    }

    #[test]
    fn a_directory_is_made_private_and_taken_again() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("a/b");
        make_private(&directory, own_uid()).unwrap();
        make_private(&directory, own_uid()).unwrap();
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_directory_that_others_rule_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = temporary.path().join("shared");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(refusal(&directory, own_uid()).contains("can be written by others"));
        assert!(refusal(&directory, own_uid() + 1).contains("belongs to another user"));
    }

    #[test]
    fn a_link_and_a_file_are_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let (link, file) = (temporary.path().join("link"), temporary.path().join("file"));
        symlink(temporary.path(), &link).unwrap();
        fs::write(&file, "").unwrap();
        assert!(refusal(&link, own_uid()).contains("is not a directory"));
        assert!(refusal(&file, own_uid()).contains("is not a directory"));
    }

    #[test]
    fn a_path_is_checked_to_the_byte() {
        let path = |length| PathBuf::from("x".repeat(length));
        assert!(check_path(&path(MAX_PATH)).is_ok());
        let error = check_path(&path(MAX_PATH + 1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("108 bytes") && error.to_string().contains("107"));
        assert!(check_path(Path::new("")).is_err());
        assert!(check_path(Path::new("a\0b")).is_err());
    }
}
