//! Copy by sockets, the side that gets the file.

use std::io::{self, BufReader, ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use super::eager::Eager;
use super::protocol::{Header, safe_name};
use super::target::{Destination, Target};
use crate::error::Context;
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::socket::{Received, connect, recv, recv_exact};

/// How many bytes are gathered before they are written.
const BUFFER_LEN: usize = 128 * 1024;
/// How long the server may take to close after its last byte.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Gets the file of the server at `path` and says where it is; `None` if `interrupt` was raised.
///
/// # Errors
/// - Those of [`connect`](connect()) and of [`Target`].
/// - [`ErrorKind::UnexpectedEof`]: the server went before its last byte.
/// - [`ErrorKind::InvalidData`]: it sent what is no copy.
pub fn run(
    path: &Path,
    destination: &Destination,
    interrupt: &Interrupt,
) -> io::Result<Option<PathBuf>> {
    let Some(stream) = connect_unless(path, interrupt)? else {
        return Ok(None);
    };
    let stream = Arc::new(stream);
    let waking = Arc::clone(&stream);
    let _waker = interrupt.on_raise(move || drop(waking.shutdown(Shutdown::Both)));
    match receive(&stream, destination) {
        Err(_) if interrupt.is_raised() => Ok(None),
        received => received
            .map(Some)
            .context(|| format!("no copy from {}", path.display())),
    }
}

/// Connects on a thread of its own: while the server's backlog is full, connecting blocks.
fn connect_unless(path: &Path, interrupt: &Interrupt) -> io::Result<Option<UnixStream>> {
    let (tell, told) = mpsc::channel();
    let (connected, server) = (tell.clone(), path.to_owned());
    let _waker = interrupt.on_raise(move || drop(tell.send(None)));
    thread::spawn(move || connected.send(Some(connect(&server))));
    told.recv().ok().flatten().transpose()
}

fn receive(stream: &UnixStream, destination: &Destination) -> io::Result<PathBuf> {
    // The header byte by byte, so that none behind it is taken in: if there can be no copy, what was
    // sent lies unread when we close, and the server learns that its client went.
    let mut input = BufReader::with_capacity(1, stream);
    let header = match Header::read(&mut input) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(cut_off(0, None)),
        other => other?,
    };
    let mut target = Target::create(destination, safe_name(&header.name)?)?;
    receive_bytes(&mut Eager::new(stream), header.length, &mut target)?;
    expect_end(stream, &mut input)?;
    target.finish()
}

fn receive_bytes(input: &mut impl Read, length: u64, target: &mut Target) -> io::Result<()> {
    let progress = Progress::on_stderr();
    progress.expect(length);
    let mut buffer = vec![0; BUFFER_LEN];
    let mut left = length;
    while left > 0 {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(BUFFER_LEN);
        let count = recv_exact(input, &mut buffer[..len])?;
        if count < len {
            let got = length - left + count as u64;
            return Err(cut_off(got, Some(length)));
        }
        target.write(&buffer[..count])?;
        left -= count as u64;
        progress.add(count as u64);
    }
    Ok(())
}

/// The server closes after the last byte; a server that goes on is none of ours.
fn expect_end(stream: &UnixStream, input: &mut impl Read) -> io::Result<()> {
    stream.set_read_timeout(Some(CLOSE_LIMIT))?;
    match recv(input, &mut [0]) {
        Ok(Received::Bytes(_)) => {
            let fault = "the server sent more than it had announced";
            Err(io::Error::new(ErrorKind::InvalidData, fault))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error),
    }
}

fn cut_off(got: u64, length: Option<u64>) -> io::Error {
    let of = length.map_or(String::new(), |length| format!(" of {length}"));
    let fault = format!("the server went after {got}{of} bytes; nothing was kept");
    io::Error::new(ErrorKind::UnexpectedEof, fault)
}
