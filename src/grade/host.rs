//! The grader as the server, for programs that are clients.

use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::{Fault, Lab, Peer, Running, watch};
use crate::socket::{self, Stopper};
use crate::stop::Waker;

/// A listening socket of the grader's own, for programs that are clients.
pub struct Host<'a> {
    lab: &'a Lab<'a>,
    clients: Receiver<UnixStream>,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
    _waker: Waker,
}

impl<'a> Host<'a> {
    pub(super) fn new(lab: &'a Lab<'a>) -> Result<Self, Fault> {
        let listener = socket::listen(lab.socket())?;
        lab.give(lab.socket())?;
        let waker = listener.stop_on(lab.stop());
        let stopper = listener.stopper();
        let (tell, clients) = mpsc::channel();
        let thread = thread::spawn(move || {
            while let Ok(Some(client)) = listener.accept() {
                if tell.send(client).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            lab,
            clients,
            stopper,
            thread: Some(thread),
            _waker: waker,
        })
    }

    /// Waits until `program` connects.
    ///
    /// # Errors
    /// A fault if it ends first, or does not connect in time.
    pub fn accept<'p>(&self, program: &'p Running<'p>) -> Result<Peer<'p>, Fault>
    where
        'a: 'p,
    {
        let deadline = Instant::now() + self.lab.timeout();
        while Instant::now() < deadline && !self.lab.is_interrupted() {
            let ended = program.has_ended(); // before the look: it may connect and end immediately
            match self.clients.recv_timeout(watch::LOOK) {
                Ok(stream) => return Peer::new(self.lab, program, stream),
                Err(_) if ended => break,
                Err(_) => {}
            }
        }
        let came = if program.has_ended() {
            "its end"
        } else {
            "nothing"
        };
        let expected = format!("a connection to {}", self.lab.socket().display());
        Err(program.fault("it does not connect").expected(expected).came(came).because(
            "the socket's path is not taken from {socket} or $IPC_SOCKET, or connect is not called before it waits for its user",
        ))
    }
}

impl Drop for Host<'_> {
    fn drop(&mut self) {
        self.stopper.stop();
        self.thread.take().map(JoinHandle::join);
    }
}
