//! Libraries: which files may be run, and which program runs each.
//!
//! A library is an executable, so loading it is `execve(2)`. The server need not trust it, because it gets
//! a process of its own. A file that is not executable, such as a shared object, is handed to a *runtime*, a
//! program that knows how to load it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::protocol::Request;

/// A flag of `open(2)`: the descriptor refers to the file without opening it. That needs no right to read the
/// file, and does not wait at a FIFO.
const O_PATH: i32 = 0o10_000_000;

/// A program that runs libraries whose names end in `suffix`.
#[doc(alias = "dlopen")]
#[doc(alias = "dlsym")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The end of a library's name, such as `.so`.
    pub suffix: String,
    /// The program, which is run as `PROGRAM LIBRARY FUNCTION [FILE]`.
    pub program: PathBuf,
}

/// The command to run for a request.
pub(super) struct Call {
    pub(super) command: Command,
    /// The open library, if `command` names it by its descriptor: keep it until the function has ended.
    pub(super) library: Option<File>,
}

/// The command that does what `request` asks for: `LIBRARY FUNCTION [FILE]`, with the first runtime that
/// fits in front, if one does. With no directory in `allow` every library may be run.
///
/// # Errors
/// - Those of [`File::open`]: [`ErrorKind::NotFound`] above all.
/// - [`ErrorKind::PermissionDenied`]: the library is in none of the directories.
/// - [`ErrorKind::InvalidInput`]: the library is not a file.
pub(super) fn call(request: &Request, allow: &[PathBuf], runtimes: &[Runtime]) -> io::Result<Call> {
    let (path, library) = resolve(&request.library, allow)?;
    let fits = |runtime: &&Runtime| request.library.ends_with(&runtime.suffix);
    let mut command = match runtimes.iter().find(fits) {
        Some(runtime) => {
            let mut command = Command::new(&runtime.program);
            command.arg(path);
            command
        }
        None => {
            let mut command = Command::new(path);
            command.arg0(&request.library); // programs with many names look at the one they got
            command
        }
    };
    command.arg(request.function()).args(&request.file);
    Ok(Call { command, library })
}

/// The path of a library, with links and dots resolved.
///
/// The file behind a path may change between its check and its use. So if `allow` names directories, the
/// library is opened once, the open file is checked, and the path is that of the descriptor.
fn resolve(library: &str, allow: &[PathBuf]) -> io::Result<(PathBuf, Option<File>)> {
    let mut options = OpenOptions::new();
    let file = options.read(true).custom_flags(O_PATH).open(library)?;
    let us = fs::canonicalize("/proc/self")?; // the function reads the path, and there "self" is the function
    let opened = us.join(format!("fd/{}", file.as_raw_fd()));
    let path = fs::read_link(&opened)?;
    let inside = |directory: &PathBuf| path.starts_with(directory); // by whole names: /ab is not in /a
    if !allow.is_empty() && !allow.iter().any(inside) {
        let fault = "it is in no directory that --allow names";
        return Err(io::Error::new(ErrorKind::PermissionDenied, fault));
    }
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    Ok(match allow {
        [] => (path, None),
        _ => (opened, Some(file)),
    })
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
        let with = call(&request, &[], &[runtime]).unwrap();
        assert_eq!(words(&with.command), ["/bin/runtime", resolved, "run"]);
        let without = call(&request, &[], &[]).unwrap();
        assert_eq!(words(&without.command), [resolved, "run"]);
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
        let kind = |name: &str| {
            let (opened, _file) =
                resolve(inside.join(name).to_str().unwrap(), allow).map_err(|e| e.kind())?;
            Ok(fs::read_link(opened).unwrap())
        };
        assert_eq!(kind("f"), Ok(inside.join("f")));
        assert_eq!(kind("link"), Err(ErrorKind::PermissionDenied));
        assert_eq!(kind("../lib2/f"), Err(ErrorKind::PermissionDenied));
        assert_eq!(kind("."), Err(ErrorKind::InvalidInput));
        assert_eq!(kind("g"), Err(ErrorKind::NotFound));
    }

    #[test]
    fn what_was_checked_is_what_is_run_even_if_its_name_has_passed_to_another() {
        let place = tempfile::tempdir().unwrap();
        let place = fs::canonicalize(place.path()).unwrap();
        // A shell makes them, because no file can be executed that another thread's child holds open for writing.
        let make = "mkdir lib; for word in checked swapped; do printf '#!/bin/sh\\necho %s\\n' $word >$word; done; \
                    mv checked lib/f; mv swapped other; chmod +x lib/f other";
        let made = Command::new("sh")
            .args(["-c", make])
            .current_dir(&place)
            .status();
        assert!(made.unwrap().success());
        let library = place.join("lib/f");
        let request = Request::new(library.to_str().unwrap(), None, None).unwrap();
        let runtime = Runtime {
            suffix: "f".into(),
            program: "/bin/sh".into(),
        };
        let allow = [place.join("lib")];
        let mut direct = call(&request, &allow, &[]).unwrap();
        let mut by_runtime = call(&request, &allow, &[runtime]).unwrap();
        fs::rename(place.join("other"), &library).unwrap();
        assert_eq!(direct.command.output().unwrap().stdout, b"checked\n");
        assert_eq!(by_runtime.command.output().unwrap().stdout, b"checked\n");
    }
}
