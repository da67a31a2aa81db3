//! `ipc queue`: the words of the message queues.

use std::io::{self, BufRead, BufReader};
use std::time::Duration;

use crate::queue::{self, OpenOptions, PRIORITIES, Queue, s1_plain};
use crate::stop::StopToken;
use crate::support::error::Context;
use crate::support::escape::escape;
use crate::support::lines::each_stdin_line;
use crate::support::stdio::stdin;

use super::args::Args;
use super::output::Output;
use super::{Command, Failure, Outcome, choose, print};

/// The defaults of a new queue, the same as the kernel's.
const MAX_MESSAGES: usize = 10;
const MESSAGE_SIZE: usize = 8192;
/// How many lines of stdin may wait for the queue.
const LINES: usize = 64;

const HELP: &str = "\
ipc queue: messages between processes that need not run at the same time

  ipc queue create NAME [--max-messages N] [--message-size BYTES]
  ipc queue send NAME TEXT|- [--priority P] [--non-blocking] [--timeout SECONDS]
  ipc queue receive NAME [--count N | --follow] [--non-blocking]
                         [--timeout SECONDS]
  ipc queue info NAME
  ipc queue list
  ipc queue unlink NAME

A NAME begins with a slash: /jobs. A queue stays until it is unlinked.
`send NAME -` sends stdin line by line, each line a message.

Stages, in src/queue/ (default: the last):
  1  plain           one array, one mutex; a killed process can block it
  2  crash-safe      survives kill -9 at any moment, and is fast

Options:
  --stage N             which of them; the same for all that use one queue
  --max-messages N      how many messages it can hold (default 10)
  --message-size BYTES  how long each can be (default 8192)
  --priority P          from 0, the default, to 32767; the higher goes first
  --count N             how many messages to receive (default 1)
  --follow              receive until Ctrl-C
  --non-blocking        fail at once if the queue is full, or empty
  --timeout SECONDS     fail if it stays so for so long (both: stage 2 only)

Chapter 8 of the book explains it: docs/08-message-queues.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    words.set_command("ipc queue");
    if words.wants_help() {
        return print(HELP);
    }
    let stage = words.stage(queue::LAST_STAGE)?;
    let commands: [Command; 6] = [
        ("create", &|words| create(words, stage)),
        ("send", &|words| send(words, stage)),
        ("receive", &|words| receive(words, stage)),
        ("info", &|words| info(words, stage)),
        ("list", &list),
        ("unlink", &|words| unlink(words, stage)),
    ];
    choose(words, "ipc queue", &commands)
}

fn create(words: &mut Args, stage: usize) -> Outcome {
    let max_messages = words.positive("--max-messages")?.unwrap_or(MAX_MESSAGES);
    let message_size = words.positive("--message-size")?.unwrap_or(MESSAGE_SIZE);
    let name = name(words)?;
    words.finish()?;
    if stage == 1 {
        s1_plain::Queue::create(&name, max_messages, message_size)?;
        return Ok(());
    }
    let options = Queue::options().write(true).create(true).exclusive(true);
    let options = options.max_messages(max_messages);
    let options = options.message_size(message_size);
    options.open(&name).map_err(io::Error::from)?;
    Ok(())
}

fn send(words: &mut Args, stage: usize) -> Outcome {
    let what = format!("a whole number from 0 to {}", PRIORITIES - 1);
    let priority = words.parsed("--priority", what, |priority| *priority < PRIORITIES)?;
    let priority = priority.unwrap_or(0);
    let patience = Patience::of(words, stage)?;
    let from_stdin = words.flag("-");
    let name = name(words)?;
    let text = (!from_stdin).then(|| required(words, "a text, or - for stdin"));
    let text = text.transpose()?;
    words.finish()?;
    if stage == 1 {
        let queue = s1_plain::Queue::open(&name)?;
        let mut lines = BufReader::new(stdin()).split(b'\n');
        return Ok(match text {
            Some(text) => queue.send(text.as_bytes(), priority),
            None => lines.try_for_each(|line| queue.send(&line?, priority)),
        }?);
    }

    let stop = words.stop()?;
    let queue = patience.open(&name, Queue::options().write(true), &stop)?;
    let send = |bytes: &[u8]| {
        let sent = match patience.limit {
            Some(limit) => queue.send_timeout(bytes, priority, limit),
            None => queue.send(bytes, priority),
        };
        sent.map_err(io::Error::from)
            .context(|| format!("cannot send to {name}"))
    };
    let sent = match text {
        Some(text) => send(text.as_bytes()),
        None => send_lines(message_size(&queue)?, &stop, send),
    };
    unless_stopped(sent, &stop)
}

/// Sends each line of stdin, until its end or a stop.
fn send_lines(
    limit: usize,
    stop: &StopToken,
    send: impl Fn(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    each_stdin_line(limit, LINES, stop, |line| {
        if line.cut {
            let fault = format!("a line has more than the {limit} bytes that a message can have");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, fault));
        }
        send(&line.bytes)
    })
}

fn receive(words: &mut Args, stage: usize) -> Outcome {
    let count = words.positive("--count")?;
    let follow = words.flag("--follow");
    if follow && count.is_some() {
        return Err(words.fault("--count has no meaning with --follow: it receives all"));
    }
    let count = if follow { u64::MAX } else { count.unwrap_or(1) };
    let patience = Patience::of(words, stage)?;
    let name = name(words)?;
    words.finish()?;
    if stage == 1 {
        let queue = s1_plain::Queue::open(&name)?;
        let mut output = Output::stdout()?;
        return Ok((0..count).try_for_each(|_| output.line(&queue.receive()?))?);
    }

    let stop = words.stop()?;
    let queue = patience.open(&name, Queue::options().read(true), &stop)?;
    let received = receive_all(&queue, &name, count, patience.limit);
    unless_stopped(received, &stop)
}

fn receive_all(queue: &Queue, name: &str, count: u64, limit: Option<Duration>) -> io::Result<()> {
    let mut buffer = vec![0; message_size(queue)?];
    let mut output = Output::stdout()?;
    output.check()?;
    for _ in 0..count {
        let received = match limit {
            Some(limit) => queue.receive_timeout(&mut buffer, limit),
            None => queue.receive(&mut buffer),
        };
        let message = received
            .map_err(io::Error::from)
            .context(|| format!("cannot receive from {name}"))?;
        let len = message.bytes.len();
        output
            .line(message.bytes)
            .context(|| format!("a message of {len} bytes, taken from {name}, is lost"))?;
    }
    Ok(())
}

fn info(words: &mut Args, stage: usize) -> Outcome {
    let name = name(words)?;
    words.finish()?;
    let numbers = match stage {
        1 => s1_plain::Queue::open(&name)?.attributes(),
        _ => attributes(&name)?,
    };
    let [messages, max_messages, message_size] = numbers;
    print(&format!(
        "messages      {messages}\nmax-messages  {max_messages}\nmessage-size  {message_size}\n"
    ))
}

fn attributes(name: &str) -> io::Result<[usize; 3]> {
    let attributes = Queue::options().read(true).open(name)?.attributes()?;
    Ok([
        attributes.messages,
        attributes.max_messages,
        attributes.message_size,
    ])
}

fn list(words: &mut Args) -> Outcome {
    words.finish()?;
    let names = queue::list().map_err(io::Error::from)?;
    let lines = names.iter().map(|name| format!("{}\n", escape(name)));
    print(&lines.collect::<String>())
}

fn unlink(words: &mut Args, stage: usize) -> Outcome {
    let name = name(words)?;
    words.finish()?;
    Ok(match stage {
        1 => s1_plain::unlink(&name),
        _ => queue::unlink(&name).map_err(io::Error::from),
    }?)
}

/// Whether and how long to block.
struct Patience {
    non_blocking: bool,
    limit: Option<Duration>,
}

impl Patience {
    fn of(words: &mut Args, stage: usize) -> Result<Self, Failure> {
        let non_blocking = words.flag("--non-blocking");
        let limit = words.seconds("--timeout")?;
        if stage == 1 && (non_blocking || limit.is_some()) {
            return Err(
                words.fault("stage 1 always waits: it has no --non-blocking and no --timeout")
            );
        }
        if non_blocking && limit.is_some() {
            return Err(words.fault("--timeout has no meaning with --non-blocking"));
        }
        Ok(Self {
            non_blocking,
            limit,
        })
    }

    fn open(&self, name: &str, options: OpenOptions, stop: &StopToken) -> io::Result<Queue> {
        let options = options.non_blocking(self.non_blocking).stop(stop);
        Ok(options.open(name)?)
    }
}

fn message_size(queue: &Queue) -> io::Result<usize> {
    Ok(queue.attributes()?.message_size)
}

fn name(words: &mut Args) -> Result<String, Failure> {
    required(words, "the NAME of a queue")
}

fn required(words: &mut Args, what: &str) -> Result<String, Failure> {
    let word = words
        .argument()
        .ok_or_else(|| words.fault(format!("it needs {what}")))?;
    let text = word.into_string();
    text.map_err(|word| words.fault(format!("{word:?} is not UTF-8")))
}

/// A stop is a normal end.
fn unless_stopped(outcome: io::Result<()>, stop: &StopToken) -> Outcome {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::Interrupted && stop.is_requested() => Ok(()),
        other => Ok(other?),
    }
}
