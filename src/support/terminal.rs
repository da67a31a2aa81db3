//! The terminal, taken from its line discipline for a while, and given back however we end.
//!
//! In its usual (canonical) mode a terminal holds the words of a line until Enter; a program that shows something
//! meanwhile cannot draw them again, because it does not have them. So such a program reads key by key.
//! `tcsetattr(3)` switches to that mode, but std does not have it: `stty(1)` calls it for us.
//!
//! A terminal left in that mode is useless to the shell behind it, and a killed process cleans up
//! nothing. So a small script does both: it changes the mode, waits for the end of its stdin, which
//! comes when we close it *or die*, and changes the mode back.

use std::io::{self, BufRead, BufReader, ErrorKind};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The terminal is the script's stderr. The script survives the signals that end us, and by then the shell
/// may have the terminal: a background process that sets a mode gets SIGTTOU. A program that has set another
/// mode since (a shell that edits lines does) knows better than we do.
const SCRIPT: &str = "
trap '' INT QUIT HUP TERM
saved=$(stty -g <&2) || exit 1
stty -icanon -echo susp undef min 1 time 0 <&2 || exit 1
ours=$(stty -g <&2)
trap '' TTOU
stty size <&2
read -r end
[ \"$(stty -g <&2)\" != \"$ours\" ] || stty \"$saved\" <&2
";
/// How long the terminal may take to be given back before we end without waiting.
const KEEPER_LIMIT: Duration = Duration::from_millis(300);
/// The width of a terminal that does not report one.
const COLUMNS: usize = 80;

/// A terminal that hands over every key; dropping this gives the terminal back.
pub struct Terminal {
    keeper: Option<Child>,
    columns: usize,
}

impl Terminal {
    /// Takes the terminal on stdin from its line discipline. Ctrl-C still raises SIGINT.
    ///
    /// # Errors
    /// Those of starting `sh`; [`ErrorKind::Unsupported`] if `stty` cannot change the mode.
    #[doc(alias = "tcsetattr")]
    pub fn take() -> io::Result<Self> {
        let terminal = io::stdin().as_fd().try_clone_to_owned()?;
        let mut keeper = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(terminal)
            .spawn()?;
        let mut size = String::new();
        let said = keeper.stdout.take().map(BufReader::new);
        said.map(|mut said| said.read_line(&mut size)).transpose()?;
        if size.is_empty() {
            keeper.wait()?;
            return Err(ErrorKind::Unsupported.into());
        }
        let columns = size.split_whitespace().nth(1);
        let columns = columns.and_then(|columns| columns.parse().ok());
        Ok(Self {
            keeper: Some(keeper),
            columns: columns.filter(|&columns| columns > 0).unwrap_or(COLUMNS),
        })
    }

    /// How many columns the terminal had when it was taken.
    pub fn columns(&self) -> usize {
        self.columns
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(mut keeper) = self.keeper.take() else {
            return;
        };
        drop(keeper.stdin.take());
        // A terminal stopped with Ctrl-S makes the keeper wait for its user. The keeper outlives us.
        let (tell, told) = mpsc::channel();
        let waiting = thread::Builder::new().spawn(move || tell.send(keeper.wait()));
        let _ = waiting.map(|_| told.recv_timeout(KEEPER_LIMIT));
    }
}
