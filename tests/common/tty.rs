//! A terminal for a test: a pseudo-terminal, and what a person would see on it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use ipc_primer::harness::LIMIT;
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};

/// How wide the terminal is.
pub const COLUMNS: usize = 40;

/// A program at a terminal of its own.
pub struct Tty {
    child: Child,
    master: File,
    slave: OwnedFd,
    before: Termios,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Tty {
    pub fn start(command: &mut Command) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: COLUMNS as u16,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).expect("a pseudo-terminal can be had");
        let slave = || pty.slave.try_clone().unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        command.stdin(slave()).stdout(slave()).stderr(slave());
        if command.get_envs().all(|(name, _)| name != "TERM") {
            command.env("TERM", "xterm");
        }
        let child = command.spawn().unwrap();
        let master = File::from(pty.master);
        let (sender, output) = mpsc::channel();
        let mut reader = master.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            master,
            slave: pty.slave,
            before,
            output,
            seen: Vec::new(),
        }
    }

    pub fn pid(&self) -> i64 {
        self.child.id().into()
    }

    /// Types keys.
    pub fn types(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until these rows are on the screen and nothing else is.
    #[track_caller]
    pub fn shows(&mut self, rows: &[&str]) {
        let deadline = Instant::now() + LIMIT;
        while self.rows() != rows {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.seen.extend(bytes),
                Err(_) => panic!("the terminal shows {:?} and not {rows:?}", self.rows()),
            }
        }
    }

    /// The row that holds this text now, if one does.
    pub fn row_with(&mut self, text: &str) -> Option<String> {
        self.seen.extend(self.output.try_iter().flatten());
        self.rows().into_iter().find(|row| row.contains(text))
    }

    /// Waits for the program's end, and takes in all that it has written.
    pub fn end(&mut self) -> ExitStatus {
        let status = self.child.wait().unwrap();
        // The terminal stays open in our hands: what we write comes after all that was written.
        File::from(self.slave.try_clone().unwrap())
            .write_all(b"\x1b[0n")
            .unwrap();
        while !self.seen.ends_with(b"\x1b[0n") {
            let bytes = self
                .output
                .recv_timeout(LIMIT)
                .expect("the terminal passes on what is written");
            self.seen.extend(bytes);
        }
        status
    }

    /// The rows of the screen, as a terminal makes them of what was written.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = vec![Vec::new()];
        let mut column = 0;
        let text = String::from_utf8_lossy(&self.seen).into_owned();
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            let row = rows.last_mut().unwrap();
            match letter {
                '\r' => column = 0,
                '\n' => rows.push(Vec::new()),
                '\x1b' => match escape_sequence(&mut letters).as_str() {
                    "[K" => row.truncate(column),
                    "[?7l" | "[?7h" | "[0n" | "" => {}
                    other => panic!("the test's terminal does not know ESC {other}"),
                },
                letter => {
                    row.resize(row.len().max(column + 1), ' ');
                    row[column] = letter;
                    column += 1;
                }
            }
        }
        let mut rows: Vec<String> = rows.into_iter().map(String::from_iter).collect();
        rows.pop_if(|row| row.is_empty());
        rows
    }

    /// Fails unless the program reads key by key now.
    #[track_caller]
    pub fn assert_taken(&self) {
        let flags = tcgetattr(&self.slave).unwrap().local_flags;
        assert!(
            !flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO),
            "{flags:?}"
        );
    }

    /// Waits until the terminal is as it was before the program was started. After a kill another
    /// process sees to that, whose end nobody but the terminal can tell.
    #[track_caller]
    pub fn assert_given_back(&self) {
        let deadline = Instant::now() + LIMIT;
        while tcgetattr(&self.slave).unwrap() != self.before {
            assert!(
                Instant::now() < deadline,
                "the terminal is left in a mode that is not its own"
            );
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What follows an ESC, up to its letter; "" if that is yet to come.
fn escape_sequence(letters: &mut impl Iterator<Item = char>) -> String {
    let mut sequence = String::new();
    for letter in letters {
        sequence.push(letter);
        if letter.is_alphabetic() {
            return sequence;
        }
    }
    String::new()
}
