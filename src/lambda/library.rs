//! Libraries: what may be run, and what program runs it.
//!
//! A library is an executable, so loading it is `execve(2)` and needs no trust in what is loaded: it
//! gets a process of its own. What is no executable, as a shared object, is handed to a *runtime*, a
//! program that knows how to load it.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::protocol::Request;

/// A program that runs libraries whose names end in `suffix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The end of a library's name, as `.so`.
    pub suffix: String,
    /// What is run as `PROGRAM LIBRARY FUNCTION [FILE]`.
    pub program: PathBuf,
}

/// The program that does what `request` asks for, with its words: `LIBRARY FUNCTION [FILE]`, or the
/// first runtime that fits and then these.
///
/// Links are resolved first, so what is checked against `allow` is what will be run. With no
/// directory in `allow` every library may be.
///
/// # Errors
/// - Those of [`fs::canonicalize`]: [`ErrorKind::NotFound`] above all.
/// - [`ErrorKind::PermissionDenied`]: it is in none of the directories.
/// - [`ErrorKind::InvalidInput`]: it is no file.
pub(super) fn command(
    request: &Request,
    allow: &[PathBuf],
    runtimes: &[Runtime],
) -> io::Result<Command> {
    let library = resolve(&request.library, allow)?;
    let fits = |runtime: &&Runtime| request.library.ends_with(&runtime.suffix);
    let mut command = match runtimes.iter().find(fits) {
        Some(runtime) => {
            let mut command = Command::new(&runtime.program);
            command.arg(library);
            command
        }
        None => {
            let mut command = Command::new(library);
            command.arg0(&request.library); // programs with many names look at the one they got
            command
        }
    };
    command.arg(request.function()).args(&request.file);
    Ok(command)
}

fn resolve(library: &str, allow: &[PathBuf]) -> io::Result<PathBuf> {
    let path = fs::canonicalize(library)?;
    let inside = |directory: &PathBuf| path.starts_with(directory); // by whole names: /a is not in /ab
    if !allow.is_empty() && !allow.iter().any(inside) {
        let fault = "it is in no directory that --allow names";
        return Err(io::Error::new(ErrorKind::PermissionDenied, fault));
    }
    if !is_file(&path) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok(path)
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn words(command: &Command) -> Vec<String> {
        let words = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        words
            .map(|word| word.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn a_runtime_goes_before_the_library_and_run_is_the_function() {
        let place = tempfile::tempdir().unwrap();
        let library = place.path().join("a.so");
        fs::write(&library, "").unwrap();
        let library = library.to_str().unwrap();
        let request = Request::new(library, None, None).unwrap();
        let runtime = Runtime {
            suffix: ".so".into(),
            program: "/bin/runtime".into(),
        };
        let resolved = fs::canonicalize(library).unwrap();
        let resolved = resolved.to_str().unwrap();
        let with = command(&request, &[], &[runtime]).unwrap();
        assert_eq!(words(&with), ["/bin/runtime", resolved, "run"]);
        let without = command(&request, &[], &[]).unwrap();
        assert_eq!(words(&without), [resolved, "run"]);
    }

    #[test]
    fn what_a_link_or_two_dots_lead_to_is_what_has_to_be_allowed() {
        let place = tempfile::tempdir().unwrap();
        let place = fs::canonicalize(place.path()).unwrap();
        let (inside, beside) = (place.join("lib"), place.join("lib2"));
        for directory in [&inside, &beside] {
            fs::create_dir_all(directory).unwrap();
            fs::write(directory.join("f"), "").unwrap();
        }
        symlink(beside.join("f"), inside.join("link")).unwrap();
        let allow = std::slice::from_ref(&inside);
        let kind =
            |name: &str| resolve(inside.join(name).to_str().unwrap(), allow).map_err(|e| e.kind());
        assert_eq!(kind("f"), Ok(inside.join("f")));
        assert_eq!(kind("link"), Err(ErrorKind::PermissionDenied));
        assert_eq!(kind("../lib2/f"), Err(ErrorKind::PermissionDenied));
        assert_eq!(kind("."), Err(ErrorKind::InvalidInput));
        assert_eq!(kind("g"), Err(ErrorKind::NotFound));
    }
}
