//! Stage 1, plain: a one-way chat. The clients speak, and the server shows who said what.
//!
//! It works for well-behaved clients. Stage 2 begins with what the others break.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::{process, thread};

/// Shows what the clients say, each on a thread of its own, for ever. The socket file must not
/// be there yet.
///
/// # Errors
/// Those of `bind(2)` and `accept(2)`.
pub fn serve(path: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?; // socket, bind, listen
    eprintln!("listening on {}", path.display());
    for (number, client) in (1..).zip(listener.incoming()) {
        let client = client?; // accept
        thread::spawn(move || show(number, client));
    }
    Ok(())
}

/// Prints a client's lines under its name, which its first line may say: `HELLO <name> <pid>`.
fn show(number: u64, client: UnixStream) {
    let mut name = "anonymous".to_owned();
    let lines = BufReader::new(client).lines(); // recv, until a line has ended
    for (at, line) in lines.map_while(Result::ok).enumerate() {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["HELLO", said, pid] if at == 0 => {
                said.clone_into(&mut name);
                eprintln!("{name}#{number} (pid {pid}) joined");
            }
            _ => println!("{name}#{number}: {line}"),
        }
    }
    eprintln!("{name}#{number} left");
}

/// Joins the chat of the server at `path` as `name`, and sends it all of `input`.
///
/// # Errors
/// Those of `connect(2)`, of the connection, and of `input`.
pub fn talk(path: &Path, name: &str, mut input: impl Read) -> io::Result<()> {
    let mut server = UnixStream::connect(path)?; // socket, connect
    writeln!(server, "HELLO {name} {}", process::id())?;
    io::copy(&mut input, &mut server)?; // read and send, until the input ends
    Ok(())
}
