//! How the client's user types: at a terminal, whose keys the client may take one by one, or not at all.

use std::io::{self, ErrorKind::BrokenPipe, ErrorKind::ConnectionReset};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use super::lines::{BATCH_LEN, Lines};
use super::protocol::MAX_LINE;
use super::screen::Screen;
use crate::socket::{Received, recv, send};
use crate::support::editor::{Editor, PROMPT, Pressed};
use crate::support::escape::escape;
use crate::support::log::{log, prompt};
use crate::support::stdio::stdin;
use crate::support::terminal::Terminal;

/// How the user types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Without a prompt: stdin is a file or a pipe.
    Piped,
    /// At a terminal, whose own line editing serves; what the server says goes elsewhere.
    Prompted,
    /// At the terminal on which the server's lines appear, too: above the words that are being typed.
    Edited,
}

/// Starts the thread that sends what is typed, and calls `ended` with how that ended. It cannot be woken
/// from reading stdin, so no thread waits for it. Returns the terminal if it was taken.
pub(super) fn start_typing(
    typing: Typing,
    stream: &Arc<UnixStream>,
    screen: &Arc<Screen>,
    ended: impl FnOnce(io::Result<()>) + Send + 'static,
) -> io::Result<Option<Terminal>> {
    let terminal = match typing {
        Typing::Edited => Terminal::take().ok(),
        Typing::Prompted | Typing::Piped => None,
    };
    let columns = terminal.as_ref().map(Terminal::columns);
    // A terminal that cannot be taken still has a line editing of its own.
    let asks = typing != Typing::Piped && terminal.is_none();
    let (stream, screen) = (Arc::clone(stream), Arc::clone(screen));
    let send = move || {
        let sent = match columns {
            Some(columns) => send_edited(columns, &stream, &screen),
            None => send_typed(&stream, asks),
        };
        match sent {
            // The server has gone: the thread that hears it says so. A reset is told to one of the two alone.
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {}
            sent => ended(sent),
        }
    };
    thread::Builder::new().spawn(send)?;
    Ok(terminal)
}

/// Sends what is typed, line by line, or many at once if they come at once, until the end of input.
fn send_typed(mut stream: &UnixStream, asks: bool) -> io::Result<()> {
    let ask = |text| {
        if asks {
            prompt(text)
        }
    };
    let mut lines = Lines::new(stdin());
    let mut batch = Vec::new();
    loop {
        if batch.len() >= BATCH_LEN || lines.would_wait() {
            send(&mut stream, &batch)?;
            batch.clear();
            ask(PROMPT);
        }
        if !lines.advance()? {
            ask("\n"); // leaves the prompt's line
            return Ok(());
        }
        match lines.text() {
            Some(text) => {
                batch.extend_from_slice(text);
                batch.push(b'\n');
            }
            None => log(format!("a line of more than {MAX_LINE} bytes was not sent")),
        }
    }
}

/// Sends what is typed at a terminal that hands over every key, line by line, until Ctrl-D. Draws the
/// line on `screen` as it grows, `columns` wide at most, and leaves it there when it is sent.
fn send_edited(columns: usize, mut stream: &UnixStream, screen: &Screen) -> io::Result<()> {
    let mut stdin = stdin();
    let mut editor = Editor::new(MAX_LINE);
    let mut keys = [0; 1024];
    loop {
        screen.draw(editor.drawn(columns));
        let Received::Bytes(count) = recv(&mut stdin, &mut keys)? else {
            return Ok(()); // the terminal has gone
        };
        for &key in &keys[..count] {
            match editor.press(key) {
                Some(Pressed::Enter(mut line)) => {
                    screen.show(&format!("{PROMPT}{}\n", escape(&line)));
                    line.push(b'\n');
                    send(&mut stream, &line)?;
                }
                Some(Pressed::End) => return Ok(()),
                None => {}
            }
        }
    }
}
