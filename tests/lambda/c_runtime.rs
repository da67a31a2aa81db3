//! A runtime for C libraries: `c-runtime LIBRARY FUNCTION [FILE]` opens the shared object and calls
//! `void FUNCTION(void)`, or `void FUNCTION(const char *file)` when a file is named.
//!
//! This is what the course's server does inside itself, and what no server can do safely: what the
//! library's constructors do, and whether the function is of that type, no one can check. So this is
//! the one place outside the shared-memory room where `unsafe` stands, in a process that has nothing
//! to lose. It is no part of the library or the command: `cargo build --example c-runtime`, then
//! `ipc lambda server --runtime .so=target/debug/examples/c-runtime`.

#![allow(unsafe_code, reason = "calling C is what it is for")]

use std::ffi::{CString, OsStr, OsString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::{env, io, ptr};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

/// "Could not be executed", to the process that started us.
const NOT_EXECUTED: u8 = 127;
/// `_IONBF` of `<stdio.h>` in every libc of Linux: no buffer.
const UNBUFFERED: c_int = 2;

type Plain = unsafe extern "C" fn();
type WithFile = unsafe extern "C" fn(*const c_char);
type SetVBuf = unsafe extern "C" fn(*mut c_void, *mut c_char, c_int, usize) -> c_int;

fn main() -> ExitCode {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match words.as_slice() {
        [library, function] => call(library, function, None),
        [library, function, file] => call(library, function, Some(file)),
        _ => Err("usage: c-runtime LIBRARY FUNCTION [FILE]".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("c-runtime: {fault}");
            ExitCode::from(NOT_EXECUTED)
        }
    }
}

fn call(
    library: &OsStr,
    function: &OsStr,
    file: Option<&OsString>,
) -> Result<(), Box<dyn std::error::Error>> {
    unbuffer_stdout()?;
    // Now, not lazily: what the library lacks shall be missed before any of it has run.
    // SAFETY: none that can be proved. Its constructors run, and do what they do to this process alone.
    let library = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) }?;
    match file {
        None => {
            // SAFETY: a promise of whoever wrote the library: its functions are of this type.
            let function = unsafe { library.get::<Plain>(function.as_bytes()) }?;
            // SAFETY: the same promise; and `library` is still open.
            unsafe { function() };
        }
        Some(file) => {
            let file = CString::new(file.as_bytes())?;
            // SAFETY: a promise of whoever wrote the library: functions with a file are of this type.
            let function = unsafe { library.get::<WithFile>(function.as_bytes()) }?;
            // SAFETY: the same promise; `library` is open, and `file` is a C string that outlives the call.
            unsafe { function(file.as_ptr()) };
        }
    }
    // Not closed: what the function left with `atexit` may stand in it. The process ends anyway.
    std::mem::forget(library);
    Ok(())
}

/// Takes the buffer from C's stdout: what a function printed before it crashed is then printed.
fn unbuffer_stdout() -> io::Result<()> {
    let own = Library::this(); // the C library that this program, and the function, use
    // SAFETY: `stdout` is a `FILE *`: a variable, of which this is the address.
    let stdout = unsafe { own.get::<*mut *mut c_void>(b"stdout") }.map_err(io::Error::other)?;
    // SAFETY: the type of `setvbuf` in every C library.
    let setvbuf = unsafe { own.get::<SetVBuf>(b"setvbuf") }.map_err(io::Error::other)?;
    // SAFETY: the address of a variable that lives as long as the process.
    let stdout = unsafe { **stdout };
    // SAFETY: an open stream on which nothing was done yet, as the manual page demands.
    match unsafe { setvbuf(stdout, ptr::null_mut(), UNBUFFERED, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::other("C's stdout keeps its buffer")),
    }
}
