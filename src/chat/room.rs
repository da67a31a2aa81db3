//! Who is there: the clients of a two-way server, by number, and what is said to them.

use std::collections::BTreeMap;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::outbox::Outbox;
use super::protocol::{ANONYMOUS, Address};

/// The clients that are there.
#[derive(Default)]
pub(super) struct Room {
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    by_number: BTreeMap<u64, Member>,
    /// The server ends: who enters now is sent out at once.
    closed: bool,
}

struct Member {
    name: String,
    outbox: Arc<Outbox>,
}

impl Room {
    /// Lets a client in, and returns the way to it.
    pub(super) fn enter(&self, number: u64, stream: &Arc<UnixStream>) -> Arc<Outbox> {
        let outbox = Arc::new(Outbox::new(stream));
        let member = Member {
            name: ANONYMOUS.to_owned(),
            outbox: Arc::clone(&outbox),
        };
        let mut members = self.members();
        members.by_number.insert(number, member);
        if members.closed {
            outbox.close();
        }
        outbox
    }

    /// Says what the client is called.
    pub(super) fn name(&self, number: u64, name: &str) {
        if let Some(member) = self.members().by_number.get_mut(&number) {
            name.clone_into(&mut member.name);
        }
    }

    /// What the client's lines are shown under.
    pub(super) fn label(&self, number: u64) -> String {
        let members = self.members();
        let name = members.by_number.get(&number).map(|member| &*member.name);
        format!("{}#{number}", name.unwrap_or(ANONYMOUS))
    }

    /// Lets a client out.
    pub(super) fn leave(&self, number: u64) {
        self.members().by_number.remove(&number);
    }

    /// Puts a typed line into the outbox of each client that it is addressed to.
    ///
    /// # Errors
    /// What to tell the typist if that is nobody, or somebody but who?
    pub(super) fn deliver(&self, typed: &[u8]) -> Result<(), String> {
        let (address, text) = Address::of(typed);
        let outboxes = self.find(address)?;
        let line: Arc<[u8]> = [text, b"\n"].concat().into();
        // The room is not locked here: to put a line in may take a while.
        outboxes.iter().for_each(|outbox| outbox.put(&line));
        Ok(())
    }

    /// Sends what is on its way, until `deadline`, and ends every connection.
    pub(super) fn hang_up(&self, deadline: Instant) {
        let outboxes: Vec<_> = {
            let mut members = self.members();
            members.closed = true;
            let present = members.by_number.values();
            present.map(|member| Arc::clone(&member.outbox)).collect()
        };
        outboxes.iter().for_each(|outbox| outbox.close()); // at once: each is emptied by a thread of its own
        outboxes.iter().for_each(|outbox| outbox.hang_up(deadline));
    }

    fn find(&self, address: Address) -> Result<Vec<Arc<Outbox>>, String> {
        let members = self.members();
        let is_meant = |number: u64, member: &Member| match address {
            Address::All => true,
            Address::Name(name) => member.name == name,
            Address::Number(wanted) => number == wanted,
        };
        let meant = || {
            members
                .by_number
                .iter()
                .filter(|(number, member)| is_meant(**number, member) && member.outbox.is_open())
        };
        match (address, meant().count()) {
            (Address::All, 0) => Err("nobody is here: that line went to no one".into()),
            (_, 0) => Err(format!(
                "nobody here is {address}: that line went to no one"
            )),
            (Address::Name(_), 2..) => {
                let numbers: Vec<_> = meant().map(|(number, _)| format!("@#{number}")).collect();
                let numbers = numbers.join(", ");
                Err(format!(
                    "{address} could be {numbers}: that line went to no one"
                ))
            }
            _ => Ok(meant()
                .map(|(_, member)| Arc::clone(&member.outbox))
                .collect()),
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
