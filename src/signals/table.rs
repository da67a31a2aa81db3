//! The 31 standard signals: number, name, default action, and senders.
//!
//! The numbers are those of Linux on x86, ARM and most other architectures. Alpha, MIPS and SPARC number
//! some signals differently (signal(7) has their columns); the names are the same everywhere.

use std::fmt;
use std::str::FromStr;

use Action::{Continue, Core, Ignore, Stop, Terminate};

/// What a process does with a signal that it neither handles nor ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It ends.
    Terminate,
    /// It ends and leaves an image of its memory, if `ulimit -c` allows it one.
    Core,
    /// Nothing.
    Ignore,
    /// It stops until SIGCONT comes.
    Stop,
    /// It continues, if it was stopped.
    Continue,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Terminate => "terminate",
            Core => "core dump",
            Ignore => "ignore",
            Stop => "stop",
            Continue => "continue",
        })
    }
}

/// A standard signal. It is parsed from `INT`, `SIGINT`, `int` or `2`, and shown as `SIGINT`.
///
/// ```
/// use ipc_primer::signals::{Action, Signal};
///
/// for text in ["INT", "SIGINT", "int", "2"] {
///     assert_eq!(text.parse(), Ok(Signal::INT));
/// }
/// assert_eq!(Signal::INT.to_string(), "SIGINT");
/// assert_eq!(Signal::INT.action(), Action::Terminate);
/// assert!("SIGFOO".parse::<Signal>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Signal(u8);

struct Row {
    name: &'static str,
    action: Action,
    sender: &'static str,
}

const fn row(name: &'static str, action: Action, sender: &'static str) -> Row {
    Row {
        name,
        action,
        sender,
    }
}

/// Row `n` is signal `n + 1`.
#[rustfmt::skip] // to be read as a table
static TABLE: [Row; 31] = [
    row("HUP",    Terminate, "the kernel: the terminal was closed"),
    row("INT",    Terminate, "the kernel: Ctrl-C at the terminal"),
    row("QUIT",   Core,      "the kernel: Ctrl-\\ at the terminal"),
    row("ILL",    Core,      "the kernel: an illegal instruction"),
    row("TRAP",   Core,      "the kernel: a debugger's breakpoint"),
    row("ABRT",   Core,      "the process itself: abort()"),
    row("BUS",    Core,      "the kernel: mapped memory with nothing behind it"),
    row("FPE",    Core,      "the kernel: a division by zero"),
    row("KILL",   Terminate, "a process: kill -9; the kernel: out of memory"),
    row("USR1",   Terminate, "a process: it means what the two agree on"),
    row("SEGV",   Core,      "the kernel: an address that is not the process's"),
    row("USR2",   Terminate, "a process: it means what the two agree on"),
    row("PIPE",   Terminate, "the kernel: a write that nobody can read"),
    row("ALRM",   Terminate, "the kernel: the time set by alarm() is over"),
    row("TERM",   Terminate, "a process: kill, or a shutdown"),
    row("STKFLT", Terminate, "nobody any more"),
    row("CHLD",   Ignore,    "the kernel: a child ended or stopped"),
    row("CONT",   Continue,  "a process: kill -CONT; a shell: fg, bg"),
    row("STOP",   Stop,      "a process: kill -STOP"),
    row("TSTP",   Stop,      "the kernel: Ctrl-Z at the terminal"),
    row("TTIN",   Stop,      "the kernel: a background job reads the terminal"),
    row("TTOU",   Stop,      "the kernel: a background job writes to the terminal"),
    row("URG",    Ignore,    "the kernel: urgent data on a socket"),
    row("XCPU",   Core,      "the kernel: more processor time than allowed"),
    row("XFSZ",   Core,      "the kernel: a file larger than allowed"),
    row("VTALRM", Terminate, "the kernel: a timer of the process's own time"),
    row("PROF",   Terminate, "the kernel: a profiler's timer"),
    row("WINCH",  Ignore,    "the kernel: the terminal's size changed"),
    row("IO",     Terminate, "the kernel: a descriptor is ready"),
    row("PWR",    Terminate, "a process: the power fails"),
    row("SYS",    Core,      "the kernel: a system call that is not allowed"),
];

#[allow(missing_docs, reason = "the table says what each is")]
impl Signal {
    #[doc(alias = "SIGHUP")]
    pub const HUP: Self = Self(1);
    #[doc(alias = "SIGINT")]
    pub const INT: Self = Self(2);
    #[doc(alias = "SIGABRT")]
    pub const ABRT: Self = Self(6);
    #[doc(alias = "SIGBUS")]
    pub const BUS: Self = Self(7);
    #[doc(alias = "SIGKILL")]
    pub const KILL: Self = Self(9);
    #[doc(alias = "SIGUSR1")]
    pub const USR1: Self = Self(10);
    #[doc(alias = "SIGSEGV")]
    pub const SEGV: Self = Self(11);
    #[doc(alias = "SIGUSR2")]
    pub const USR2: Self = Self(12);
    #[doc(alias = "SIGPIPE")]
    pub const PIPE: Self = Self(13);
    #[doc(alias = "SIGTERM")]
    pub const TERM: Self = Self(15);
    #[doc(alias = "SIGSTKFLT")]
    pub const STKFLT: Self = Self(16);
    #[doc(alias = "SIGCHLD")]
    pub const CHLD: Self = Self(17);
    #[doc(alias = "SIGSTOP")]
    pub const STOP: Self = Self(19);
    #[doc(alias = "SIGXFSZ")]
    pub const XFSZ: Self = Self(25);
}

impl Signal {
    /// The eight signals that note 4 presents, in its order.
    pub const NOTED: [Self; 8] = [
        Self::INT,
        Self::USR1,
        Self::USR2,
        Self::KILL,
        Self::ABRT,
        Self::TERM,
        Self::SEGV,
        Self::CHLD,
    ];

    /// All 31 signals, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=31).map(Self)
    }

    /// The signal with this number, if it is a standard one.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::all().find(|signal| signal.number() == number)
    }

    /// Its number, from 1 to 31.
    pub fn number(self) -> i32 {
        self.0.into()
    }

    /// Its name as `kill -s` wants it: without `SIG`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What a process does with it by default.
    pub fn action(self) -> Action {
        self.row().action
    }

    /// Who sends it, and why.
    pub fn sender(self) -> &'static str {
        self.row().sender
    }

    /// Whether a process can change what it does with this signal. It cannot for SIGKILL and SIGSTOP, so
    /// there is always a way to end and to stop a process.
    pub fn can_be_caught(self) -> bool {
        !matches!(self, Self::KILL | Self::STOP)
    }

    fn row(self) -> &'static Row {
        &TABLE[usize::from(self.0) - 1]
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("SIG{}", self.name()))
    }
}

/// A text that names no standard signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSignal(String);

impl fmt::Display for UnknownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no standard signal is called {:?}: it takes a name (`INT`, `SIGINT`, `int`) or a \
             number from 1 to 31",
            self.0
        )
    }
}

impl std::error::Error for UnknownSignal {}

impl FromStr for Signal {
    type Err = UnknownSignal;

    fn from_str(text: &str) -> Result<Self, UnknownSignal> {
        let unknown = || UnknownSignal(text.to_owned());
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let number = text.parse().ok();
            return number.and_then(Self::from_number).ok_or_else(unknown);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        Self::all()
            .find(|signal| signal.name() == name)
            .ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn every_constant_stands_in_its_row() {
        let named = [
            (Signal::HUP, "HUP"),
            (Signal::INT, "INT"),
            (Signal::ABRT, "ABRT"),
            (Signal::BUS, "BUS"),
            (Signal::KILL, "KILL"),
            (Signal::USR1, "USR1"),
            (Signal::SEGV, "SEGV"),
            (Signal::USR2, "USR2"),
            (Signal::PIPE, "PIPE"),
            (Signal::TERM, "TERM"),
            (Signal::STKFLT, "STKFLT"),
            (Signal::CHLD, "CHLD"),
            (Signal::STOP, "STOP"),
        ];
        for (signal, name) in named {
            assert_eq!(signal.name(), name);
        }
    }

    /// The shell takes its names from the system's own headers.
    #[test]
    fn the_shell_has_the_same_names_for_the_same_numbers() {
        for signal in Signal::all() {
            let asked = ["-c", "kill -l \"$1\"", "sh", &signal.number().to_string()];
            let answer = Command::new("sh").args(asked).output().unwrap();
            let name = String::from_utf8(answer.stdout).unwrap();
            // dash has no name for the one signal that is never sent.
            let known = [signal.name(), &signal.number().to_string()].contains(&name.trim());
            assert!(known, "signal {} is {name:?} to sh", signal.number());
        }
    }

    #[test]
    fn what_is_no_standard_signal_is_refused() {
        for text in [
            "",
            "SIG",
            "0",
            "32",
            "-1",
            "+2",
            "2x",
            "SIGSIGINT",
            "INT ",
            "EXIT",
        ] {
            assert_eq!(text.parse::<Signal>(), Err(UnknownSignal(text.into())));
        }
    }
}
