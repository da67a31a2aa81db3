//! The machine on which the measurement ran, and whether it had anything else to do.

use std::{env, fmt, fs, thread};

/// A load above this for each core before we begin means that the machine is busy.
const BUSY: f64 = 0.25;

/// The machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many processors we may use.
    pub cores: usize,
    /// The kernel's release.
    pub kernel: String,
    /// How many processes ran or wanted to run, averaged over the last minute: `/proc/loadavg`.
    pub load: f64,
}

impl Machine {
    /// Looks the machine up in `/proc`; values that are missing there stay empty.
    pub fn look() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = info
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        let name = name.map(|name| name.trim_matches(['\t', ' ', ':']));
        let load = first_line("/proc/loadavg");
        let load = load.split(' ').next().and_then(|load| load.parse().ok());
        Self {
            processor: plain(name.unwrap_or(env::consts::ARCH)),
            cores: thread::available_parallelism().map_or(1, Into::into),
            kernel: plain(&first_line("/proc/sys/kernel/osrelease")),
            load: load.unwrap_or(0.0),
        }
    }

    /// Whether other processes take so much time that they affect the measurement.
    pub fn is_busy(&self) -> bool {
        self.load > BUSY * self.cores as f64
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (processor, kernel) = (&self.processor, &self.kernel);
        let (cores, load) = (self.cores, self.load);
        write!(
            f,
            "{processor}, {cores} cores, Linux {kernel}, load {load:.2}"
        )
    }
}

/// The first line of a file, or an empty text.
pub(super) fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The text without the characters that would need escaping in CSV or JSON.
fn plain(text: &str) -> String {
    let is_plain = |c: &char| matches!(c, ' '..='~') && !"\"\\,".contains(*c);
    text.chars().filter(is_plain).collect()
}
