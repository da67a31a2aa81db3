//! The clients in the room of a two-way server, by number, each with its name; and the lines typed there
//! for them.
//!
//! A server in C would ask `select` whether its user or one of its clients has something to say. Here a thread
//! waits only for the user.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::protocol::{ANONYMOUS, Address, MAX_LINE, text};
use crate::stop::StopToken;
use crate::support::lines::each_stdin_line;
use crate::support::log::log;

/// The clients in the room, each with its name and the way to reach it: a connection or an outbox.
pub(super) struct Room<T> {
    members: BTreeMap<u64, (String, Arc<T>)>,
}

/// Locks the room, which no panic leaves half changed.
pub(super) fn lock<T>(room: &Mutex<Room<T>>) -> MutexGuard<'_, Room<T>> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Default for Room<T> {
    fn default() -> Self {
        let members = BTreeMap::new();
        Self { members }
    }
}

impl<T> Room<T> {
    /// Lets in a client that has not given its name.
    pub(super) fn enter(&mut self, number: u64, client: &Arc<T>) {
        let member = (ANONYMOUS.to_owned(), Arc::clone(client));
        self.members.insert(number, member);
    }

    /// Sets the client's name.
    pub(super) fn name(&mut self, number: u64, name: &str) {
        if let Some(member) = self.members.get_mut(&number) {
            name.clone_into(&mut member.0);
        }
    }

    /// Lets a client out, and returns its label.
    pub(super) fn leave(&mut self, number: u64) -> String {
        let member = self.members.remove(&number);
        let name = member.map_or(ANONYMOUS.to_owned(), |(name, _)| name);
        format!("{name}#{number}")
    }

    /// The clients that are addressed.
    ///
    /// # Errors
    /// A message to the typist if there is no such client, or if several have the name.
    pub(super) fn find(&self, address: Address) -> Result<Vec<Arc<T>>, String> {
        let is_meant = |number: u64, name: &str| match address {
            Address::All => true,
            Address::Name(wanted) => name == wanted,
            Address::Number(wanted) => number == wanted,
        };
        let members = self.members.iter();
        let (numbers, clients): (Vec<_>, Vec<_>) = members
            .filter(|(number, (name, _))| is_meant(**number, name))
            .map(|(number, (_, client))| (format!("@#{number}"), Arc::clone(client)))
            .unzip();
        match (address, clients.len()) {
            (Address::All, 0) => Err("nobody is here: that line went to no one".into()),
            (_, 0) => Err(format!(
                "nobody here is {address}: that line went to no one"
            )),
            (Address::Name(_), 2..) => Err(format!(
                "{address} could be {}: that line went to no one",
                numbers.join(", ")
            )),
            _ => Ok(clients),
        }
    }
}

/// How many typed lines may wait; beyond that, the typist waits.
const WAITING: usize = 1024;

/// Calls `deliver` with each line typed on stdin until stdin ends or `stop` is requested. Tells the typist
/// each error that `deliver` returns.
pub(super) fn each_typed_line(stop: &StopToken, deliver: impl Fn(&[u8]) -> Result<(), String>) {
    let ended = each_stdin_line(MAX_LINE + 1, WAITING, stop, |line| {
        let delivered = match text(&line.bytes) {
            Some(text) if !line.cut => deliver(text),
            _ => Err(format!("a line of more than {MAX_LINE} bytes was not sent")),
        };
        delivered.unwrap_or_else(log);
        Ok(())
    });
    ended.unwrap_or_else(|error| log(error.to_string()));
}
