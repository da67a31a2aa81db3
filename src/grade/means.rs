//! What the grader itself needs. If it is missing, that is an error of the grader, and not a program's fault.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{Command, Stdio};

/// How many descriptors the grader may need: a hundred clients at the same time, and its own.
const DESCRIPTORS: u64 = 256;

/// Expects that enough descriptors can be open at the same time (`RLIMIT_NOFILE`).
pub(super) fn enough_descriptors() -> io::Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    match soft {
        Some(limit @ ..DESCRIPTORS) => Err(missing(format!(
            "only {limit} files may be open at once, and a grader needs {DESCRIPTORS}: try ulimit -n 1024"
        ))),
        _ => Ok(()),
    }
}

/// Expects that our own script can be run where it is, and that its path is one word of a message.
pub(super) fn runs(script: &Path) -> io::Result<()> {
    let shown = script.display();
    if shown.to_string().contains(char::is_whitespace) {
        let fault = format!(
            "{shown} has a blank in its path, where a message ends a field: set TMPDIR to another directory"
        );
        return Err(missing(fault));
    }
    let mut command = Command::new(script);
    let tried = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    tried.map(drop).map_err(|error| {
        missing(format!(
            "{shown} cannot be run ({error}): set TMPDIR to a directory that is not mounted noexec"
        ))
    })
}

fn missing(fault: String) -> io::Error {
    io::Error::new(ErrorKind::Unsupported, fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::TemporaryDirectory;

    #[test]
    fn a_script_that_cannot_be_run_or_named_is_not_the_fault_of_a_program() {
        let place = TemporaryDirectory::make("ipc-test").unwrap();
        for (name, says) in [("not-executable", "noexec"), ("with a blank", "blank")] {
            let script = place.path().join(name);
            fs::write(&script, "#!/bin/sh\n").unwrap();
            let fault = runs(&script).unwrap_err().to_string();
            assert!(fault.contains(says) && fault.contains("TMPDIR"), "{fault}");
        }
    }
}
