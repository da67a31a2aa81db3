//! Mechanisms in the kernel: pipes, and sockets of three kinds.
//!
//! All of them are read and written by `read(2)` and `write(2)`, so here they are files. The other process gets its
//! end as stdin: no name is needed, and nothing can be left behind.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::Stdio;

use super::machine::first_line;
use super::messages::{Channel, Link};
use super::process::Lab;
use super::results::Cell;
use crate::stop::Waker;

/// How much of the memory for one datagram the kernel keeps for itself, in bytes.
const DATAGRAM_OVERHEAD: usize = 32;
/// The largest datagram if `/proc` does not give it.
const DATAGRAM: usize = 64 * 1024;

/// One end. In a stream a message is as many bytes as both ends have agreed on; a datagram is one message.
struct Stream {
    reader: File,
    writer: File,
    message: Vec<u8>,
    /// Ends a read when the other process has ended; only datagrams need it.
    waker: Option<Waker>,
}

impl Stream {
    fn new(reader: OwnedFd, writer: OwnedFd, bytes: usize) -> Self {
        Self {
            reader: reader.into(),
            writer: writer.into(),
            message: vec![1; bytes], // written, so that its memory is present
            waker: None,
        }
    }
}

impl Channel for Stream {
    fn send(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.message)
    }

    fn receive(&mut self) -> io::Result<()> {
        self.reader.read_exact(&mut self.message)
    }
}

/// Two pipes, one for each direction: the other process's stdin and stdout.
pub(super) fn open_pipe(lab: &Lab, cell: &Cell) -> io::Result<Link> {
    let (their_stdin, ours_to_write) = io::pipe()?;
    let (ours_to_read, their_stdout) = io::pipe()?;
    let process = lab.start_peer(cell, "", their_stdin.into(), their_stdout.into())?;
    let stream = Stream::new(ours_to_read.into(), ours_to_write.into(), cell.bytes);
    Ok(Link::new(process, stream))
}

pub(super) fn open_socket(lab: &Lab, cell: &Cell) -> io::Result<Link> {
    let (ours, theirs): (OwnedFd, OwnedFd) = match cell.name {
        "unix-stream" => both_into(UnixStream::pair()?),
        "unix-datagram" => both_into(UnixDatagram::pair()?),
        _ => both_into(tcp_pair()?),
    };
    let process = lab.start_peer(cell, "", theirs.into(), Stdio::null())?;
    let mut stream = Stream::new(ours.try_clone()?, ours.try_clone()?, cell.bytes);
    if cell.name == "unix-datagram" {
        let socket = UnixDatagram::from(ours);
        let wake = move || drop(socket.shutdown(Shutdown::Both));
        stream.waker = Some(process.ended.on_stop(wake));
    }
    Ok(Link::new(process, stream))
}

fn both_into<T: Into<OwnedFd>>((ours, theirs): (T, T)) -> (OwnedFd, OwnedFd) {
    (ours.into(), theirs.into())
}

fn tcp_pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    for end in [&ours, &theirs] {
        end.set_nodelay(true)?; // otherwise a small message would wait for the answer to the previous one
    }
    Ok((ours, theirs))
}

/// The other process's end.
pub(super) fn join(bytes: usize, is_pipe: bool) -> io::Result<impl Channel> {
    let stdin = || io::stdin().as_fd().try_clone_to_owned();
    let writer = match is_pipe {
        true => io::stdout().as_fd().try_clone_to_owned(),
        false => stdin(),
    };
    Ok(Stream::new(stdin()?, writer?, bytes))
}

/// The largest datagram: all of it has to fit into the sender's buffer (`SO_SNDBUF`).
pub(super) fn largest_datagram() -> usize {
    let buffer = first_line("/proc/sys/net/core/wmem_default").parse();
    buffer.map_or(DATAGRAM, |buffer: usize| {
        buffer.saturating_sub(DATAGRAM_OVERHEAD)
    })
}
