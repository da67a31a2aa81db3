//! The user who runs a program, if that is not the one who runs the grader.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::support::error::Context;
use crate::support::identity::own_user;

/// A user of this machine. The kernel keeps a program that another user runs from the grader's process and
/// from its files.
#[derive(Clone, Copy, Debug)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The user of this name, as `id` knows it.
    ///
    /// # Errors
    /// [`ErrorKind::PermissionDenied`] if we are not root, [`ErrorKind::NotFound`] if there is no such user.
    pub fn find(name: &OsStr) -> io::Result<Self> {
        if own_user()? != 0 {
            let fault = "only root can run a program as another user: leave --user out";
            return Err(io::Error::new(ErrorKind::PermissionDenied, fault));
        }
        let number = |option| {
            let output = Command::new("id").args([option, "--"]).arg(name).output()?;
            let number = String::from_utf8_lossy(&output.stdout).trim().parse().ok();
            let fault =
                || io::Error::new(ErrorKind::NotFound, format!("there is no user {name:?}"));
            number.ok_or_else(fault)
        };
        let (uid, gid) = (number("-u")?, number("-g")?);
        match uid {
            0 => Err(io::Error::new(
                ErrorKind::InvalidInput,
                "--user root would keep nothing apart",
            )),
            _ => Ok(Self { uid, gid }),
        }
    }

    /// Lets the user run the command: `setgid(2)` and `setuid(2)`, with no other groups.
    pub(super) fn runs(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file to the user.
    pub(super) fn owns(self, path: &Path) -> io::Result<()> {
        let given = chown(path, Some(self.uid), Some(self.gid));
        given.context(|| format!("cannot give {} to another user", path.display()))
    }

    pub(super) fn uid(self) -> u32 {
        self.uid
    }
}
