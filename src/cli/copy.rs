//! `ipc copy`: the words of the file copies.

use std::path::PathBuf;

use crate::copy::server::{CHUNK, MAX_CHUNK, Service, TIMEOUT};
use crate::copy::source::Source;
use crate::copy::target::Destination;
use crate::copy::{self, s1_plain, s2_one_slot, s2_whole, s3_fast, s3_ring};
use crate::shm::ring::{MAX_RECEIVERS, MAX_RING, Shape};
use crate::support::log::log;

use super::args::Args;
use super::options::or_default;
use super::{Command, Failure, Outcome, choose, listen, race, scenario};

/// The default ring. The chapter measures why.
const SLOTS: usize = 24;
const SLOT_LEN: usize = 1024 * 1024;

const HELP: &str = "\
ipc copy: one process has a file, many get a copy

By sockets, in one terminal, then in others:
  ipc copy socket server FILE [--stage N] [--peers N] [--chunk BYTES]
                              [--timeout SECONDS] [--socket PATH]
  ipc copy socket client [--stage N] [--output DIR] [--force] [--socket PATH]

Its stages, each a file in src/copy/ (default: the last):
  1  plain           a copy that is broken off looks like a whole one
  2  whole           a copy is whole, or is not there at all
  3  fast            polls before it sleeps

By shared memory, in one terminal and in N others, in any order:
  ipc copy sharedmem sender FILE --receivers N [--stage N] [--slots K]
                                 [--slot-size BYTES] [--name NAME]
  ipc copy sharedmem receiver [--stage N] [--output DIR] [--force]
                              [--wait SECONDS] [--name NAME]

Its stages, likewise:
  1  race            no order, and what semaphores change; this one is
                     ipc copy race [FILE] [--semaphores]
  2  one slot        two semaphores, one receiver; hangs if a process is killed
  3  ring            any number of receivers; hangs for none

Options:
  --stage N          which stage to run; stage 1 of the copy by sockets has no
                     option but --socket and --output, and stage 2 of that by
                     shared memory none but --name and --output
  --output DIR       where to put the copy (default: the current directory)
  --force            replace a file of that name
  --peers N          end after N whole copies (default: serve until Ctrl-C)
  --chunk BYTES      how many bytes to send at a time (default 131072); 1 is
                     byte by byte, to see what that costs
  --timeout SECONDS  drop a client that reads nothing for so long (default 10)
  --socket PATH      the socket (default: copy.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)
  --receivers N      how many receivers to wait for, and to serve at one pace
  --slots K          how many slots the ring has (default 24)
  --slot-size BYTES  how large each of them is (default 1048576)
  --wait SECONDS     how long to wait for a sender (default 10)
  --name NAME        the ring: /dev/shm/ipc-primer-NAME (default: copy)

Chapters 5 and 6 of the book explain them: docs/05-copy-by-sockets.md and
docs/06-copy-by-shared-memory.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    if words.first().as_deref() == Some("race") {
        words.command();
        return race::run(words);
    }
    let commands: [Command; 2] = [("socket", &by_socket), ("sharedmem", &by_shared_memory)];
    scenario(words, "ipc copy", HELP, &commands)
}

fn by_socket(words: &mut Args) -> Outcome {
    let commands: [Command; 2] = [("server", &socket_server), ("client", &socket_client)];
    choose(words, "ipc copy", &commands)
}

fn by_shared_memory(words: &mut Args) -> Outcome {
    let stage = ring_stage(words)?; // also before the command, where the grader puts it
    let commands: [Command; 2] = [
        ("sender", &|words| ring_sender(words, stage)),
        ("receiver", &|words| ring_receiver(words, stage)),
    ];
    choose(words, "ipc copy", &commands)
}

fn socket_server(words: &mut Args) -> Outcome {
    let stage = words.stage(copy::LAST_STAGE)?;
    let service = (stage > 1).then(|| service(words)).transpose()?;
    let path = words.path("--socket")?;
    let file = file(words)?;
    let path = or_default(path, copy::SOCKET_NAME)?;
    let Some(service) = service else {
        return Ok(s1_plain::serve(&path, &file)?);
    };
    let source = Source::open(&file)?;
    let stop = words.stop()?;
    let listener = listen(&path)?;
    Ok(match stage {
        2 => s2_whole::serve(&listener, &source, service, &stop),
        _ => s3_fast::serve(&listener, &source, service, &stop),
    }?)
}

fn service(words: &mut Args) -> Result<Service, Failure> {
    let what = format!("a whole number from 1 to {MAX_CHUNK}");
    let chunk = words.parsed("--chunk", what, |chunk| (1..=MAX_CHUNK).contains(chunk))?;
    Ok(Service {
        peers: words.positive("--peers")?,
        chunk: chunk.unwrap_or(CHUNK),
        timeout: words.seconds("--timeout")?.unwrap_or(TIMEOUT),
    })
}

fn socket_client(words: &mut Args) -> Outcome {
    let stage = words.stage(copy::LAST_STAGE)?;
    let destination = destination(words)?;
    if stage == 1 && destination.force {
        return Err(words.fault("--force is for stages 2 and 3: stage 1 replaces any file"));
    }
    let path = words.socket(copy::SOCKET_NAME)?;
    let copied = match stage {
        1 => Some(s1_plain::receive(&path, &destination.directory)?),
        2 => s2_whole::receive(&path, &destination, &words.stop()?)?,
        _ => s3_fast::receive(&path, &destination, &words.stop()?)?,
    };
    report(copied);
    Ok(())
}

fn ring_sender(words: &mut Args, stage: usize) -> Outcome {
    let receivers = words.positive("--receivers")?;
    if stage == 2 {
        return one_slot_sender(words, receivers);
    }
    let slots = words.positive("--slots")?.unwrap_or(SLOTS);
    let slot_len = words.positive("--slot-size")?.unwrap_or(SLOT_LEN);
    let Some(receivers) = receivers else {
        return Err(words.fault("how many --receivers will there be?"));
    };
    let shape = Shape {
        slots,
        slot_len,
        receivers,
    };
    if !shape.fits() {
        let fault = format!(
            "a ring has {MAX_RING} bytes, all included, and {MAX_RECEIVERS} receivers at most"
        );
        return Err(words.fault(fault));
    }
    let name = ring_name(words)?;
    let source = Source::open(&file(words)?)?;
    let stop = words.stop()?;
    Ok(s3_ring::send(&name, shape, &source, &stop)?)
}

fn one_slot_sender(words: &mut Args, receivers: Option<usize>) -> Outcome {
    if receivers.is_some_and(|receivers| receivers != 1) {
        return Err(words.fault("stage 2 has one receiver: leave --receivers out"));
    }
    let name = ring_name(words)?;
    Ok(s2_one_slot::send(&name, &file(words)?)?)
}

fn ring_receiver(words: &mut Args, stage: usize) -> Outcome {
    let destination = destination(words)?;
    let wait = words.seconds("--wait")?;
    let name = ring_name(words)?;
    words.finish()?;
    if stage == 2 {
        if destination.force || wait.is_some() {
            let fault = "--force and --wait are for stage 3: stage 2 replaces no file, and waits for its \
                         sender without end";
            return Err(words.fault(fault));
        }
        let copied = s2_one_slot::receive(&name, &destination.directory)?;
        report(Some(copied));
        return Ok(());
    }
    let wait = wait.unwrap_or(s3_ring::WAIT);
    let stop = words.stop()?;
    report(s3_ring::receive(&name, wait, &destination, &stop)?);
    Ok(())
}

/// Stage 1 is a command of its own.
fn ring_stage(words: &mut Args) -> Result<usize, Failure> {
    match words.stage(copy::LAST_RING_STAGE)? {
        1 => Err(words.fault("stage 1 of the copy by shared memory is `ipc copy race`")),
        stage => Ok(stage),
    }
}

fn ring_name(words: &mut Args) -> Result<String, Failure> {
    let Some(name) = words.value("--name")? else {
        return Ok(copy::RING_NAME.to_owned());
    };
    let name = name.into_string();
    name.map_err(|name| words.fault(format!("--name needs UTF-8, which {name:?} is not")))
}

fn file(words: &mut Args) -> Result<PathBuf, Failure> {
    let Some(file) = words.argument() else {
        return Err(words.fault("which FILE is to be copied?"));
    };
    words.finish()?;
    Ok(file.into())
}

fn destination(words: &mut Args) -> Result<Destination, Failure> {
    let directory = words.path("--output")?.unwrap_or_else(|| ".".into());
    let force = words.flag("--force");
    Ok(Destination { directory, force })
}

fn report(copied: Option<PathBuf>) {
    if let Some(path) = copied {
        log(format!("copied to {}", path.display()));
    }
}
