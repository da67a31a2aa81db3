//! The two queues side by side: ours, and the kernel's by the calls of its manual pages. Every call
//! gives what it gave or the name of the errno.

use std::time::{Duration, SystemTime};

use ipc_primer::queue::{self, Error, Queue};
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT};
use nix::mqueue::{mq_close, mq_getattr, mq_open, mq_receive, mq_send, mq_unlink};
use nix::mqueue::{mq_remove_nonblock, mq_set_nonblock, mq_timedreceive};
use nix::sys::stat::Mode;
use nix::sys::time::TimeSpec;

pub type Answer<T> = Result<T, String>;

/// How a queue is opened.
#[derive(Clone, Copy, Debug)]
pub struct Flags {
    pub read: bool,
    pub write: bool,
    pub create: bool,
    pub exclusive: bool,
    pub non_blocking: bool,
    pub max_messages: usize,
    pub message_size: usize,
}

/// What can be done with a queue of either kind.
pub trait Queues: Sized {
    fn open(name: &str, flags: Flags) -> Answer<Self>;
    fn unlink(name: &str) -> Answer<()>;
    fn send(&self, bytes: &[u8], priority: u32) -> Answer<()>;
    fn receive(&self, len: usize) -> Answer<(Vec<u8>, u32)>;
    fn receive_timeout(&self, len: usize, limit: Duration) -> Answer<(Vec<u8>, u32)>;
    /// max_messages, message_size, messages, non_blocking.
    fn attributes(&self) -> Answer<(usize, usize, usize, bool)>;
    fn set_non_blocking(&mut self, non_blocking: bool);
    fn close(self) {}
}

fn ours<T>(result: Result<T, Error>) -> Answer<T> {
    result.map_err(|error| match error.errno() {
        Some(errno) => errno.to_owned(),
        None => error.to_string(),
    })
}

impl Queues for Queue {
    fn open(name: &str, flags: Flags) -> Answer<Self> {
        let options = Queue::options()
            .read(flags.read)
            .write(flags.write)
            .create(flags.create)
            .exclusive(flags.exclusive)
            .non_blocking(flags.non_blocking)
            .max_messages(flags.max_messages)
            .message_size(flags.message_size);
        ours(options.open(name))
    }

    fn unlink(name: &str) -> Answer<()> {
        ours(queue::unlink(name))
    }

    fn send(&self, bytes: &[u8], priority: u32) -> Answer<()> {
        ours(Queue::send(self, bytes, priority))
    }

    fn receive(&self, len: usize) -> Answer<(Vec<u8>, u32)> {
        let mut buffer = vec![0; len];
        let received = ours(Queue::receive(self, &mut buffer))?;
        Ok((received.bytes.to_vec(), received.priority))
    }

    fn receive_timeout(&self, len: usize, limit: Duration) -> Answer<(Vec<u8>, u32)> {
        let mut buffer = vec![0; len];
        let received = ours(Queue::receive_timeout(self, &mut buffer, limit))?;
        Ok((received.bytes.to_vec(), received.priority))
    }

    fn attributes(&self) -> Answer<(usize, usize, usize, bool)> {
        let found = ours(Queue::attributes(self))?;
        Ok((
            found.max_messages,
            found.message_size,
            found.messages,
            found.non_blocking,
        ))
    }

    fn set_non_blocking(&mut self, non_blocking: bool) {
        Queue::set_non_blocking(self, non_blocking);
    }
}

fn kernels<T>(result: Result<T, Errno>) -> Answer<T> {
    result.map_err(|errno| format!("{errno:?}"))
}

impl Queues for MqdT {
    fn open(name: &str, flags: Flags) -> Answer<Self> {
        let mode = match (flags.read, flags.write) {
            (true, true) => MQ_OFlag::O_RDWR,
            (false, true) => MQ_OFlag::O_WRONLY,
            (_, false) => MQ_OFlag::O_RDONLY,
        };
        let mut chosen = mode;
        chosen.set(MQ_OFlag::O_CREAT, flags.create);
        chosen.set(MQ_OFlag::O_EXCL, flags.exclusive);
        chosen.set(MQ_OFlag::O_NONBLOCK, flags.non_blocking);
        let attributes = MqAttr::new(0, flags.max_messages as i64, flags.message_size as i64, 0);
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        kernels(mq_open(name, chosen, mode, Some(&attributes)))
    }

    fn unlink(name: &str) -> Answer<()> {
        kernels(mq_unlink(name))
    }

    fn send(&self, bytes: &[u8], priority: u32) -> Answer<()> {
        kernels(mq_send(self, bytes, priority))
    }

    fn receive(&self, len: usize) -> Answer<(Vec<u8>, u32)> {
        let (mut buffer, mut priority) = (vec![0; len], 0);
        let len = kernels(mq_receive(self, &mut buffer, &mut priority))?;
        buffer.truncate(len);
        Ok((buffer, priority))
    }

    fn receive_timeout(&self, len: usize, limit: Duration) -> Answer<(Vec<u8>, u32)> {
        let (mut buffer, mut priority) = (vec![0; len], 0);
        let end = SystemTime::UNIX_EPOCH.elapsed().unwrap() + limit;
        let end = TimeSpec::from(end);
        let len = kernels(mq_timedreceive(self, &mut buffer, &mut priority, &end))?;
        buffer.truncate(len);
        Ok((buffer, priority))
    }

    fn attributes(&self) -> Answer<(usize, usize, usize, bool)> {
        let found = kernels(mq_getattr(self))?;
        let number = |number: i64| usize::try_from(number).unwrap();
        let limits = (number(found.maxmsg()), number(found.msgsize()));
        let non_blocking = found.flags() & MQ_OFlag::O_NONBLOCK.bits() as i64 != 0;
        Ok((limits.0, limits.1, number(found.curmsgs()), non_blocking))
    }

    fn set_non_blocking(&mut self, non_blocking: bool) {
        let set = match non_blocking {
            true => mq_set_nonblock(self),
            false => mq_remove_nonblock(self),
        };
        set.expect("the flag of an open queue can be set");
    }

    fn close(self) {
        mq_close(self).expect("an open queue can be closed");
    }
}

/// Whether the kernel lets us have message queues; says so where it does not.
pub fn kernel_has_queues(name: &str) -> bool {
    let flags = Flags {
        read: true,
        write: true,
        create: true,
        exclusive: true,
        non_blocking: false,
        max_messages: 10,
        message_size: 8192,
    };
    match <MqdT as Queues>::open(name, flags) {
        Ok(queue) => {
            Queues::close(queue);
            <MqdT as Queues>::unlink(name).unwrap();
            true
        }
        Err(errno) => {
            println!("skipped: the kernel gives us no message queue ({errno})");
            false
        }
    }
}
