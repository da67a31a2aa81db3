//! How many clients and functions fit into the limit of open files.
//!
//! Running out of descriptors in the middle of a client's work is an error that the client can do nothing
//! about. So they are counted before: a client costs one, its function two more while it runs, or three.

use std::fs;
use std::io::{self, ErrorKind};

/// How many functions run at once, if no number is asked for. They may sleep, so cores are no measure: for
/// 1,000 clients whose functions take 0.8 s each, all to be served in 5 s, 160 have to run at a time. This
/// is that, and half as much for the time that starting them takes.
const RUNNING: usize = 256;
/// The most clients at once, however many descriptors there are: each has a thread.
const CLIENTS: usize = 2000;
/// A function's output file, and our end of its stdout. Its library, too, if that is kept open.
const PER_FUNCTION: usize = 2;
/// How many processes are being started at once. While it is, each takes [`PER_START`] more.
pub(super) const STARTING: usize = 8;
/// Its stdin and stdout, until they are its own.
const PER_START: usize = 2;
/// For these, the listening socket, the log, the watchdog, and something to spare.
const RESERVED: usize = STARTING * PER_START + 16;

/// How many clients to have at once, for `max_running` functions at once or for as many as are good and
/// fit; and how many these are.
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
