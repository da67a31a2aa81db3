//! What the tests of the lambda server share: a server at work, and libraries to run.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use ipc_primer::harness::{LIMIT, Program, Stream};

use crate::common::wait_until;
use crate::common::{self, Place};

/// A running server, its sockets and files in a place of its own.
pub struct Server {
    pub place: Place,
    pub program: Program,
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        Self::start_in(Place::new(), options)
    }

    pub fn start_in(place: Place, options: &[&str]) -> Self {
        let server = Self::listening(place, options);
        let pid = server.program.pid();
        wait_until("the watchdog's shell runs", || {
            children(pid).iter().any(|stat| is_watchdog(stat))
        });
        server
    }

    /// A server of an early stage: 1 and 2 have no watchdog.
    pub fn of_stage(stage: &str) -> Self {
        Self::of_stage_in(Place::new(), stage)
    }

    pub fn of_stage_in(place: Place, stage: &str) -> Self {
        Self::listening(place, &["--stage", stage])
    }

    fn listening(place: Place, options: &[&str]) -> Self {
        let mut program = place.start(&[&["lambda", "server"], options].concat());
        program.wait_for(Stream::Stderr, "listening on").unwrap();
        Self { place, program }
    }

    /// A connection to the server that does not wait for ever.
    pub fn connect(&self) -> UnixStream {
        connect(&self.socket())
    }

    pub fn socket(&self) -> PathBuf {
        self.place.path("lambda.sock")
    }

    /// Sends a message as a C client does: in one piece, for the first read ends it, with no newline.
    pub fn send(&self, message: impl AsRef<[u8]>) -> UnixStream {
        let mut stream = self.connect();
        stream.write_all(message.as_ref()).unwrap();
        stream
    }

    /// Sends a message and returns the answer.
    pub fn ask(&self, message: impl AsRef<[u8]>) -> PathBuf {
        ask(&self.socket(), message)
    }

    /// What the output file of a call holds. The file is removed.
    pub fn call(&self, message: impl AsRef<[u8]>) -> String {
        let path = self.ask(message);
        let output = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        fs::remove_file(path).unwrap();
        output
    }

    /// Waits for a line of the server's log.
    pub fn says(&mut self, text: &str) -> String {
        self.program.wait_for(Stream::Stderr, text).unwrap()
    }

    /// Presses Ctrl-C, and checks that nothing is left but the files named and the output directory.
    pub fn end(mut self, kept: &[&str]) {
        self.program.signal("INT").unwrap();
        let status = self.program.wait().unwrap();
        assert_eq!(status.code(), Some(0), "Ctrl-C is a regular end");
        let mut left = [&["lambda-output"], kept].concat();
        left.sort_unstable();
        self.place.assert_left(&left);
        let outputs = common::names(&self.place.path("lambda-output"));
        assert!(
            outputs.is_empty(),
            "outputs that nobody was told of: {outputs:?}"
        );
    }
}

pub fn connect(socket: &Path) -> UnixStream {
    let stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

/// One whole conversation.
pub fn ask(socket: &Path, message: impl AsRef<[u8]>) -> PathBuf {
    let mut stream = connect(socket);
    stream.write_all(message.as_ref()).unwrap();
    answer(&mut stream)
}

/// What the server answers until it closes.
pub fn answer(stream: &mut UnixStream) -> PathBuf {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.into()
}

/// Says that no more will be sent, and reads to the end.
pub fn half_close(mut stream: UnixStream) -> PathBuf {
    stream.shutdown(Shutdown::Write).unwrap();
    answer(&mut stream)
}

/// A shell script, ready to be run; returns its path.
pub fn script(place: &Place, name: &str, body: &str) -> String {
    let (source, script) = (place.path("source"), place.path(name));
    fs::write(&source, format!("#!/bin/sh\n{body}\n")).unwrap();
    common::copy_program(&source, &script);
    fs::remove_file(source).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    script.into_os_string().into_string().unwrap()
}

/// A shared object, compiled from C; returns its path.
pub fn c_library(place: &Place, name: &str, source: &str) -> String {
    let library = place.path(name).into_os_string().into_string().unwrap();
    compile(place, source, &["-shared", "-fPIC", "-o", &library]);
    library
}

/// Compiles C that the tests, or the chapter, show.
pub fn compile(place: &Place, source: &str, options: &[&str]) {
    let file = place.path("source.c");
    fs::write(&file, source).unwrap();
    let mut cc = place.command("cc");
    let compiled = cc.arg(&file).args(options).output().unwrap();
    let said = String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "cc says: {said}\nof: {source}");
    fs::remove_file(file).unwrap();
}

/// The `--runtime` option for shared objects. The runtime is built if need be: `cargo test --test NAME`
/// does not do that.
pub fn c_runtime() -> &'static str {
    static OPTION: LazyLock<String> = LazyLock::new(|| {
        let ipc = Path::new(env!("CARGO_BIN_EXE_ipc"));
        let profile = if cfg!(debug_assertions) {
            "dev"
        } else {
            "release"
        };
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args([
                "build",
                "--quiet",
                "--example",
                "c-runtime",
                "--profile",
                profile,
            ])
            .arg("--target-dir")
            .arg(ipc.ancestors().nth(2).unwrap())
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(
            cargo.status().unwrap().success(),
            "the runtime can be built"
        );
        let runtime = ipc.with_file_name("examples").join("c-runtime");
        format!("--runtime=.so={}", runtime.display())
    });
    &OPTION
}

/// The processes whose parent is this one: its children, zombies among them.
pub fn children(pid: i64) -> Vec<String> {
    let processes = common::names(Path::new("/proc")).into_iter();
    let stat = |name: String| fs::read_to_string(format!("/proc/{name}/stat")).ok();
    let parent = |stat: &str| -> Option<i64> {
        stat.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    };
    processes
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(stat)
        .filter(|stat| parent(stat) == Some(pid))
        .collect()
}

/// The processes that run the server's functions: all of its children but the watchdog's shell.
pub fn functions(server: &Server) -> Vec<String> {
    let mut functions = children(server.program.pid());
    functions.retain(|stat| !is_watchdog(stat));
    functions
}

fn is_watchdog(stat: &str) -> bool {
    let pid = stat.split(' ').next().unwrap_or("");
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).contains("while read")
}

/// The server's threads.
pub fn threads(server: &Server) -> Vec<PathBuf> {
    let tasks = PathBuf::from(format!("/proc/{}/task", server.program.pid()));
    let names = common::names(&tasks).into_iter();
    names.map(|name| tasks.join(name)).collect()
}

/// Whether none of the server's threads has anything to do.
pub fn all_sleep(server: &Server) -> bool {
    let sleeps = |thread: PathBuf| {
        let stat = fs::read_to_string(thread.join("stat"));
        stat.is_ok_and(|stat| stat.contains(") S "))
    };
    // One look could catch a thread that waits for a moment only.
    (0..3).all(|_| threads(server).into_iter().all(sleeps))
}
