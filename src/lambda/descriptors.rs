//! How many clients and functions fit into the limit on open files.
//!
//! Running out of descriptors in the middle of a client's work is an error that the client can do nothing
//! about. So the server plans ahead: a client costs one, its function two more while it runs, or three.

use std::fs;
use std::io::{self, ErrorKind};

/// How many functions run at a time by default. They may sleep, so the number of cores does not matter: to
/// serve 1,000 clients in 5 s, whose functions take 0.8 s each, 160 have to run at a time. This number adds
/// half as many for the time that starting them takes.
const RUNNING: usize = 256;
/// The most clients at a time, however many descriptors there are: each client has a thread.
const CLIENTS: usize = 2000;
/// A function's output file, and the server's end of its stdout. A library that is kept open is one more.
const PER_FUNCTION: usize = 2;
/// How many processes may be starting at the same time. Each takes [`PER_START`] more while it starts.
pub(super) const STARTING: usize = 8;
/// The stdin and stdout of a process, until it has its own copies.
const PER_START: usize = 2;
/// For starting processes, the listening socket, the log, the watchdog, and some to spare.
const RESERVED: usize = STARTING * PER_START + 16;

/// How many clients and how many functions to have at a time: `max_running` functions, or as many as are
/// useful and fit.
pub(super) fn plan(
    max_running: Option<usize>,
    keeps_libraries: bool,
) -> io::Result<(usize, usize)> {
    let per_function = PER_FUNCTION + usize::from(keeps_libraries);
    divide(soft_limit()?, per_function, max_running)
}

fn divide(
    limit: usize,
    per_function: usize,
    max_running: Option<usize>,
) -> io::Result<(usize, usize)> {
    let available = limit.saturating_sub(RESERVED);
    let fit = available / (1 + per_function);
    let running = max_running.unwrap_or(RUNNING.min(fit));
    if running == 0 || running > fit {
        let message = format!(
            "{running} functions at once need more open files than the {limit} that are allowed; \
             raise that with `ulimit -n`, or choose at most {fit} with --max-running"
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    let clients = (available - per_function * running).min(CLIENTS.max(running));
    Ok((clients, running))
}

/// How many files this process may have open: the soft limit, in `/proc/self/limits`.
#[doc(alias = "getrlimit")]
#[doc(alias = "RLIMIT_NOFILE")]
fn soft_limit() -> io::Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix("Max open files"));
    match line.and_then(|line| line.split_whitespace().next()) {
        Some("unlimited") => Ok(usize::MAX),
        word => word.and_then(|word| word.parse().ok()).ok_or_else(|| {
            let message = "/proc/self/limits does not say how many files may be open";
            io::Error::new(ErrorKind::InvalidData, message)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_and_functions_fit_into_every_limit_that_is_accepted() {
        let limits = [64, 256, 1024, 20_000, usize::MAX];
        let with = |per_function| limits.map(|limit| (limit, per_function));
        let cases = [with(PER_FUNCTION), with(PER_FUNCTION + 1)];
        for (limit, per_function) in cases.into_iter().flatten() {
            let (clients, running) = divide(limit, per_function, None).unwrap();
            assert!(RESERVED + clients + per_function * running <= limit);
            assert!(
                clients >= running,
                "each function has a client: {clients}, {running}"
            );
        }
        assert_eq!(divide(1024, PER_FUNCTION, None).unwrap().1, RUNNING);
    }

    #[test]
    fn more_than_fits_is_refused_with_the_way_out() {
        let error = divide(1024, PER_FUNCTION, Some(331)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains("at most 330"), "{error}");
        assert!(divide(1024, PER_FUNCTION, Some(330)).is_ok());
        assert!(divide(20, PER_FUNCTION, None).is_err());
    }

    #[test]
    fn the_limit_is_found() {
        assert!(soft_limit().unwrap() > 2);
    }
}
