//! Stage 1, plain: a server that sends a file to every client, and its client, as a textbook would print
//! them.
//!
//! It works as long as nothing goes wrong. Stage 2 begins with a copy that breaks off.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

/// Sends `file` to every client, each on a thread of its own, for ever. The socket file must
/// not be there yet.
///
/// # Errors
/// Those of `bind(2)` and of `accept(2)`.
pub fn serve(path: &Path, file: &Path) -> io::Result<()> {
    let listener = UnixListener::bind(path)?; // socket, bind, listen
    eprintln!("listening on {}", path.display());
    for client in listener.incoming() {
        let (client, file) = (client?, file.to_owned()); // accept
        thread::spawn(move || send_file(&file, client));
    }
    Ok(())
}

/// Sends the header, a line `FILE <length> <name>`, and then the bytes.
fn send_file(file: &Path, mut client: UnixStream) -> io::Result<()> {
    let mut source = File::open(file)?;
    let name = file.file_name().unwrap_or_default().display();
    writeln!(client, "FILE {} {name}", source.metadata()?.len())?;
    io::copy(&mut source, &mut client)?; // read and send, until the file ends
    Ok(()) // the connection is closed when `client` goes out of scope
}

/// Receives the file of the server at `path` into `directory`, under the name that the server
/// gives it. Returns where it is.
///
/// # Errors
/// Those of `connect(2)`, of the connection, and of the file; [`ErrorKind::InvalidData`] if no
/// name comes.
pub fn receive(path: &Path, directory: &Path) -> io::Result<PathBuf> {
    let mut server = BufReader::new(UnixStream::connect(path)?); // socket, connect
    let mut header = String::new();
    server.read_line(&mut header)?;
    let name = header.trim_end_matches('\n').splitn(3, ' ').nth(2);
    let target = directory.join(name.ok_or(ErrorKind::InvalidData)?);
    io::copy(&mut server, &mut File::create(&target)?)?; // recv, write, until the server closes
    Ok(target)
}
