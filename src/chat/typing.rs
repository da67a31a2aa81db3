//! How the client's user types: at a terminal, where the client may read key by key, or through a file or pipe.

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
    /// At a terminal, with the terminal's own line editing; the server's lines go elsewhere.
    Prompted,
    /// At the terminal where the server's lines also appear, above the line being typed.
    Edited,
}

/// Starts the thread that sends what is typed and then calls `ended` with the result. Nothing can wake that
/// thread from reading stdin, so no other thread waits for it. Returns the terminal if it was taken.
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
    // A terminal that cannot be taken still has its own line editing.
    let asks = typing != Typing::Piped && terminal.is_none();
    let (stream, screen) = (Arc::clone(stream), Arc::clone(screen));
    let send = move || {
        let sent = match columns {
            Some(columns) => send_edited(columns, &stream, &screen),
            None => send_typed(&stream, asks),
        };
        match sent {
            // The server closed: the thread that listens to it reports that. Only one of the two hears of a reset.
            Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {}
            sent => ended(sent),
        }
    };
    thread::Builder::new().spawn(send)?;
    Ok(terminal)
}

/// Sends typed lines until the end of input, one at a time, or many in one call if they come together.
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

/// Sends the lines typed at a terminal that hands over every key, until Ctrl-D. Draws the
/// line on `screen` as it grows, at most `columns` wide, and leaves it there when it is sent.
fn send_edited(columns: usize, mut stream: &UnixStream, screen: &Screen) -> io::Result<()> {
    let mut stdin = stdin();
    let mut editor = Editor::new(MAX_LINE);
    let mut keys = [0; 1024];
    loop {
        screen.draw(editor.drawn(columns));
        let Received::Bytes(count) = recv(&mut stdin, &mut keys)? else {
            return Ok(()); // the terminal has hung up
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
