//! Stage 2: a copy that is whole, or is not there at all.
//!
//! What broke: a server that ends in the middle of the file leaves half a file, which stage 1 takes for a
//! whole one (`printf 'FILE 11 x\nhalf' | socat -u - UNIX-LISTEN:copy.sock`, and a client of it).
//!
//! What this adds: the client counts the bytes, compares the count with the header's, writes into a partial
//! file, and gives that its name at the end. The copy stays in its directory, and replaces no file unless
//! asked. The server counts the copies that are whole, drops clients that stall, and ends cleanly.
//!
//! What it costs: the files [`target`](super::target), [`source`](super::source), [`server`]
//! and `client.rs`. It makes fewer calls, because it moves 128 KiB at a time, and `io::copy` moves 8.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::client::{self, BUFFER_LEN, broken_off, expect_end, receive_header};
use super::protocol::safe_name;
use super::server::{self, Service};
use super::source::Source;
use super::target::{Destination, Target};
use crate::socket::{Listener, recv_exact, send};
use crate::stop::StopToken;
use crate::support::progress::Progress;

/// Sends `source` to every client of `listener`, each on a thread of its own, until `service.peers` clients
/// have it or `stop` is requested. With `peers`, that many clients are served at a time and the others wait.
///
/// # Errors
/// Those of [`Listener::accept`]; and at the end, one that says how many copies were broken off. A copy
/// is whole when the client closes after its last byte.
pub fn serve(
    listener: &Listener,
    source: &Source,
    service: Service,
    stop: &StopToken,
) -> io::Result<()> {
    server::serve(listener, service, stop, |client, progress| {
        send_file(source, client, service.chunk, progress)
    })
}

/// Sends the header and the bytes; returns how many bytes the file has.
fn send_file(
    source: &Source,
    mut client: &UnixStream,
    chunk: usize,
    progress: &Progress,
) -> io::Result<u64> {
    let header = source.header()?;
    send(&mut client, &header.line())?;
    progress.expect(header.length);
    let mut buffer = vec![0; chunk.max(1)];
    let mut sent = 0;
    while sent < header.length {
        let count = source.read_at(&mut buffer, sent, header.length)?;
        send(&mut client, &buffer[..count])?;
        sent += count as u64;
        progress.add(count as u64);
    }
    source.note_growth(header.length);
    Ok(header.length)
}

/// Receives the file from the server at `path` and returns where the copy is; `None` if `stop` was requested.
///
/// # Errors
/// - Those of [`connect`](fn@crate::socket::connect) and of [`Target`].
/// - [`UnexpectedEof`](io::ErrorKind::UnexpectedEof): the server closed before its last byte.
/// - [`InvalidData`](io::ErrorKind::InvalidData): the server sent something other than a copy.
pub fn receive(
    path: &Path,
    destination: &Destination,
    stop: &StopToken,
) -> io::Result<Option<PathBuf>> {
    client::run(path, stop, |server| receive_file(server, destination))
}

/// Receives the header, the bytes, and the end, and then gives the copy its name.
fn receive_file(server: &UnixStream, destination: &Destination) -> io::Result<PathBuf> {
    let header = receive_header(server)?;
    let mut target = Target::create(destination, safe_name(&header.name)?)?;
    receive_bytes(server, header.length, &mut target)?;
    expect_end(server)?;
    target.finish()
}

/// Receives as many bytes as the header says, or fails.
fn receive_bytes(mut server: &UnixStream, length: u64, target: &mut Target) -> io::Result<()> {
    let progress = Progress::on_stderr();
    progress.expect(length);
    let mut buffer = vec![0; BUFFER_LEN];
    let mut received = 0;
    while received < length {
        let left = usize::try_from(length - received).unwrap_or(usize::MAX);
        let len = left.min(BUFFER_LEN);
        let count = recv_exact(&mut server, &mut buffer[..len])?;
        received += count as u64;
        if count < len {
            return Err(broken_off(received, Some(length)));
        }
        target.write(&buffer[..count])?;
        progress.add(count as u64);
    }
    Ok(())
}
