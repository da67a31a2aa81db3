//! What a process does with each signal, as the kernel shows it in `/proc/<pid>/status`.

use std::io;
use std::{fmt, fs};

use super::{Signal, check_pid};
use crate::support::error::Context;
use crate::support::identity::Identity;

/// A set of signals: bit `n - 1` of the kernel's 64-bit mask is signal `n`.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SignalSet(u64);

impl SignalSet {
    /// Whether the signal is in the set.
    #[doc(alias = "sigismember")]
    pub fn contains(self, signal: Signal) -> bool {
        self.0 >> (signal.number() - 1) & 1 == 1
    }

    /// The standard signals in the set, by number.
    pub fn iter(self) -> impl Iterator<Item = Signal> {
        Signal::all().filter(move |&signal| self.contains(signal))
    }
}

impl fmt::Display for SignalSet {
    /// The names, or the numbers of realtime signals, separated by blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let realtime = (32..=64).filter(|number| self.0 >> (number - 1) & 1 == 1);
        let standard = self.iter().map(|signal| signal.to_string());
        let all: Vec<_> = standard
            .chain(realtime.map(|number| number.to_string()))
            .collect();
        f.write_str(&all.join(" "))
    }
}

impl fmt::Debug for SignalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

/// What a process does with a signal: the three things that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    #[doc(alias = "SIG_DFL")]
    /// The [default action](Signal::action).
    Default,
    /// A handler of its own runs.
    Caught,
    #[doc(alias = "SIG_IGN")]
    /// Nothing: the kernel throws the signal away.
    Ignored,
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Default => "default",
            Self::Caught => "caught",
            Self::Ignored => "ignored",
        })
    }
}

/// What a process does with signals, and which signals are waiting for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispositions {
    /// Signals with a handler: `SigCgt`.
    pub caught: SignalSet,
    /// Signals ignored by its own choice or its parent's: `SigIgn`. A default of "ignore" is not here.
    pub ignored: SignalSet,
    /// Signals that its main thread does not let in at present: `SigBlk`.
    pub blocked: SignalSet,
    /// Signals sent and not yet taken, to the main thread or to the whole process: `SigPnd` and `ShdPnd`.
    pub pending: SignalSet,
}

impl Dispositions {
    /// Reads the masks in the text of a `/proc/<pid>/status`; `None` if one is missing.
    ///
    /// ```
    /// use ipc_primer::signals::{Disposition, Dispositions, Signal};
    ///
    /// let status = "Name:\tdemo\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000200\n\
    ///     SigBlk:\t0000000000000200\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000004003\n";
    /// let found = Dispositions::parse(status).unwrap();
    /// assert_eq!(found.caught.to_string(), "SIGHUP SIGINT SIGTERM");
    /// assert_eq!(found.of(Signal::PIPE), Disposition::Ignored);
    /// assert_eq!(found.of(Signal::KILL), Disposition::Default);
    /// assert_eq!(found.blocked, found.pending); // SIGUSR1 waits at the door
    /// ```
    pub fn parse(status: &str) -> Option<Self> {
        let mask = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            u64::from_str_radix(line.trim(), 16).ok().map(SignalSet)
        };
        Some(Self {
            caught: mask("SigCgt:")?,
            ignored: mask("SigIgn:")?,
            blocked: mask("SigBlk:")?,
            pending: SignalSet(mask("SigPnd:")?.0 | mask("ShdPnd:")?.0),
        })
    }

    /// What the process does with this signal.
    pub fn of(&self, signal: Signal) -> Disposition {
        if self.caught.contains(signal) {
            Disposition::Caught
        } else if self.ignored.contains(signal) {
            Disposition::Ignored
        } else {
            Disposition::Default
        }
    }
}

/// Looks up what the process `pid` does with each signal. Every process may look at every other process.
///
/// ```
/// use ipc_primer::signals::{Signal, dispositions};
///
/// let own = dispositions(std::process::id().into())?;
/// assert!(own.ignored.contains(Signal::PIPE)); // every Rust program starts so
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// [`NotFound`](io::ErrorKind::NotFound) if there is no such process, or only a zombie, which no longer acts on
/// signals; [`InvalidInput`](io::ErrorKind::InvalidInput) if `pid` is not positive.
#[doc(alias = "sigaction")]
#[doc(alias = "sigprocmask")]
#[doc(alias = "sigpending")]
pub fn dispositions(pid: i64) -> io::Result<Dispositions> {
    check_pid(pid)?;
    Identity::of(pid as u32)?; // or it has ended
    let file = format!("/proc/{pid}/status");
    let status = fs::read(&file).context(|| format!("cannot read {file}"))?;
    let status = String::from_utf8_lossy(&status); // the program's name can be any bytes
    let unreadable = || io::Error::other(format!("{file} shows no signal masks"));
    Dispositions::parse(&status).ok_or_else(unreadable)
}
