//! Stage 1, plain: a server that adds integers and its client, as a textbook would print them.
//!
//! It works for well-behaved clients. Stage 2 begins with what the others break.

use std::io::{self, BufRead, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// Serves one client after the other, for ever. The socket file must not be there yet.
///
/// # Errors
/// Those of `bind(2)`, of `accept(2)`, and of any client.
pub fn serve(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?; // socket, bind, listen
    eprintln!("listening on {}", path.display());
    for client in listener.incoming() {
        answer(client?)?; // accept
    }
    Ok(())
}

/// Adds the client's integers until one is 0, and sends the sum: text in a frame of 128 bytes.
fn answer(mut client: UnixStream) -> io::Result<()> {
    let mut sum = 0;
    loop {
        let mut bytes = [0; 4];
        client.read_exact(&mut bytes)?; // recv, until four bytes are there
        match i32::from_ne_bytes(bytes) {
            0 => break,
            integer => sum += i128::from(integer),
        }
    }
    let mut frame = [0; 128];
    write!(&mut frame[..], "Result = {sum}")?; // the rest stays NUL
    client.write_all(&frame) // send; the connection is closed when `client` goes out of scope
}

/// Sends the integers in `input`, one per line, to the server at `path` until one is 0, and
/// prints its answer to `output`.
///
/// # Errors
/// Those of `connect(2)`, of the connection, and of a line that is not an integer.
pub fn ask(path: &Path, input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    let mut server = UnixStream::connect(path)?; // socket, connect
    for line in input.lines() {
        let integer: i32 = line?.trim().parse().map_err(io::Error::other)?;
        server.write_all(&integer.to_ne_bytes())?;
        if integer == 0 {
            let mut frame = [0; 128];
            server.read_exact(&mut frame)?;
            let text = frame.split(|&byte| byte == 0).next().unwrap_or(&frame);
            return writeln!(output, "{}", String::from_utf8_lossy(text));
        }
    }
    Ok(())
}
