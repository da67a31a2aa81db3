//! What the tests share: a place to run the command in, and a look at what it left there.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub mod chat;
pub mod copying;
pub mod lambda;
pub mod queueing;
pub mod sum;
pub mod tty;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use ipc_primer::harness::Stream::Stderr;
use ipc_primer::harness::{LIMIT, Program};
use ipc_primer::signals::{Disposition, Signal, dispositions};
use tempfile::TempDir;

/// A directory of a test's own, for its sockets and files.
pub struct Place {
    directory: TempDir,
    /// The command, and who runs it, if that is not us.
    ipc: PathBuf,
    user: Option<u32>,
}

/// A user that owns nothing, and is not `nobody`, as whom graders run programs and end all that is left.
const STRANGER: u32 = 65_533;

impl Place {
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// In memory, where the kernel reads gigabytes of holes without keeping them.
    pub fn in_memory() -> Self {
        Self::below(Path::new("/dev/shm"))
    }

    /// Where permissions count: nobody runs the command here if we are root, whom none holds back.
    pub fn unprivileged() -> Self {
        let mut place = Self::new();
        if we_are_root() {
            let ipc = place.path("ipc");
            copy_program(&place.ipc, &ipc);
            place.ipc = ipc;
            chown(place.directory.path(), Some(STRANGER), Some(STRANGER)).unwrap();
            place.user = Some(STRANGER);
        }
        place
    }

    fn below(parent: &Path) -> Self {
        let private = fs::Permissions::from_mode(0o700); // whatever the umask is
        let mut builder = tempfile::Builder::new();
        let directory = builder.permissions(private).tempdir_in(parent);
        Self {
            directory: directory.expect("a temporary directory can be made"),
            ipc: env!("CARGO_BIN_EXE_ipc").into(),
            user: None,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `ipc` with these words, to be run here.
    pub fn ipc(&self, words: &[&str]) -> Command {
        let mut command = self.command(&self.ipc);
        command.args(words);
        command
    }

    /// Any program, to be run here.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.directory.path())
            .env("IPC_PRIMER_DIR", self.directory.path());
        if let Some(user) = self.user {
            command.uid(user).gid(user);
        }
        command
    }

    /// Starts `ipc` with these words where every file has to stay empty, its stdout a file named `out`.
    pub fn start_limited(&self, words: &[&str]) -> Program {
        let mut shell = self.command("sh");
        shell.args(["-c", "ulimit -f 0; exec \"$@\" >out", "sh"]);
        let started = Program::start(shell.arg(&self.ipc).args(words));
        started.expect("the shell starts")
    }

    /// Starts `ipc` with these words.
    pub fn start(&self, words: &[&str]) -> Program {
        Program::start(&mut self.ipc(words)).expect("the command starts")
    }

    /// `ipc` with these words under this umask, which takes permissions away from what it makes.
    pub fn command_under(&self, umask: &str, words: &[&str]) -> Command {
        let mut shell = self.command("sh");
        let script = "umask $0; exec \"$@\"";
        shell.args(["-c", script, umask]).arg(&self.ipc).args(words);
        shell
    }

    /// Runs `ipc` with these words to its end, with nothing on stdin.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = self.ipc(words);
        command
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the command starts")
    }

    /// The processes that were started here, and those that they started: each inherits an environment
    /// that names the place.
    pub fn processes(&self) -> Vec<String> {
        let place = self.directory.path().display().to_string();
        let knows_it = |pid: &String| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            String::from_utf8_lossy(&environ).contains(&place)
        };
        names("/proc".as_ref())
            .into_iter()
            .filter(knows_it)
            .collect()
    }

    /// Waits until all processes of the place have gone and its files with them; fails if some stay. For what
    /// is killed: it cannot wait for them itself.
    #[track_caller]
    pub fn wait_until_left(&self) {
        let deadline = Instant::now() + LIMIT;
        while !(self.processes().is_empty() && self.files().is_empty()) {
            let left = (self.processes(), self.files());
            assert!(Instant::now() < deadline, "these are left: {left:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The names of the files here, sorted.
    pub fn files(&self) -> Vec<String> {
        names(self.directory.path())
    }

    /// Fails if anything but `kept` is here: whatever ends leaves nothing behind.
    #[track_caller]
    pub fn assert_left(&self, kept: &[&str]) {
        assert_eq!(self.files(), kept, "these files should be all that is left");
    }
}

/// Whether the kernel lets us do anything.
pub fn we_are_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Copies a program, by a process of its own: the kernel runs no file that somebody has open to write,
/// and a process that another test starts at this moment would have it open until it runs.
pub fn copy_program(from: &Path, to: &Path) {
    let copied = Command::new("cp").args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// Waits for the end of a program, which should be a success.
#[track_caller]
pub fn assert_succeeds(program: &mut Program) {
    let status = program.wait().unwrap();
    assert!(status.success(), "{status}: {}", program.said(Stderr));
}

/// Waits for the end of a program, which should be a failure that it explains with these words.
#[track_caller]
pub fn assert_fails(program: &mut Program, words: &str) {
    let status = program.wait().unwrap();
    let said = program.said(Stderr);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(words), "{words:?} should be in {said:?}");
}

/// Waits for a state of the world that nothing tells of when it comes; fails if it never does.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "it never became so that {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until all threads of the program sleep in a system call.
#[track_caller]
pub fn wait_until_asleep(program: &Program) {
    let tasks = PathBuf::from(format!("/proc/{}/task", program.pid()));
    let asleep = |task: &String| {
        let stat = fs::read_to_string(tasks.join(task).join("stat"));
        stat.is_ok_and(|stat| stat.contains(") S "))
    };
    wait_until("the program sleeps", || names(&tasks).iter().all(asleep));
}

/// Leaves a socket file at `path` as a killed server does: nobody listens behind it.
pub fn leave_stale_socket(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    // A child that another test is just starting has a copy of the descriptor until it runs.
    while UnixStream::connect(path).is_ok() {
        thread::yield_now();
    }
}

/// The names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("the directory can be read");
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Whether a tool that may be missing is installed; says so where it is not.
pub fn has_tool(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|directory| directory.join(tool).is_file());
    if !found {
        println!("skipped: {tool} is not installed");
    }
    found
}

/// Runs a shell in namespaces of its own, where `directory` is a small file system; `None` where that
/// is not allowed.
pub fn in_small(place: &Place, directory: &Path, size: &str, script: &str) -> Option<Program> {
    if !has_tool("unshare") {
        return None;
    }
    let probe = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "x", "/mnt"])
        .output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        println!("skipped: no namespaces for us here");
        return None;
    }
    let mount = format!("mount -t tmpfs -o size={size} tmpfs \"$1\" && {script}");
    let mut shell = place.command("unshare");
    shell.args(["-rm", "sh", "-c", &mount, "sh"]).arg(directory);
    shell.env("IPC", env!("CARGO_BIN_EXE_ipc"));
    Some(Program::start(&mut shell).unwrap())
}

/// Whether the process that started the tests had this signal ignored, so that all that they start ignores it, too;
/// says so.
pub fn is_ignored(signal: Signal) -> bool {
    let ours = dispositions(std::process::id().into()).unwrap();
    let ignored = ours.of(signal) == Disposition::Ignored;
    if ignored {
        println!("skipped: {signal} was ignored in the process that started this test");
    }
    ignored
}

/// What a program wrote, as text.
pub fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("programs here write UTF-8")
}

/// The files with this ending below `directory`, sorted.
pub fn files_below(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in names(directory) {
        let path = directory.join(name);
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path
            .extension()
            .is_some_and(|extension| extension == ending)
        {
            found.push(path);
        }
    }
    found
}

/// Whether a shown command can be run here: all can that use no tool of [`OPTIONAL`].
pub fn can_run(command: &str) -> bool {
    let words = command.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    words.filter(|word| OPTIONAL.contains(word)).all(has_tool)
}

/// Tools that a transcript may use though they may be missing.
const OPTIONAL: &[&str] = &["cc", "nc", "socat", "strace"];
