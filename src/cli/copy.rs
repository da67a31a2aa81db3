//! `ipc copy`: the words of the file copies.

use std::path::PathBuf;

use ipc_primer::copy::server::{self, CHUNK, MAX_CHUNK, Service};
use ipc_primer::copy::source::Source;
use ipc_primer::copy::target::Destination;
use ipc_primer::copy::{self, client};
use ipc_primer::interrupt::Interrupt;
use ipc_primer::notice::notice;
use ipc_primer::socket;

use super::words::Words;
use super::{Failure, Outcome, print, unknown_command};

const HELP: &str = "\
ipc copy: one process has a file, many get a copy

By sockets, in one terminal, then in others:
  ipc copy socket server FILE [--peers N] [--chunk BYTES] [--socket PATH]
  ipc copy socket client [--output DIR] [--force] [--socket PATH]

Options:
  --output DIR       where to put the copy (default: the current directory)
  --force            replace a file of that name
  --peers N          end after N whole copies (default: serve until Ctrl-C)
  --chunk BYTES      how many bytes to send at a time (default 262144); 1 is
                     byte by byte, to see what that costs
  --socket PATH      the socket (default: copy.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)

Chapters 5 and 6 of the book explain it: docs/05-copy-by-sockets.md.
";

pub(super) fn run(words: &mut Words) -> Outcome {
    words.set_command("ipc copy");
    if words.wants_help() {
        return print(HELP);
    }
    match words.command().as_deref() {
        Some("socket") => by_socket(words),
        other => Err(unknown_command(other, words, "ipc copy")),
    }
}

fn by_socket(words: &mut Words) -> Outcome {
    match words.command().as_deref() {
        Some("server") => socket_server(words),
        Some("client") => socket_client(words),
        other => Err(unknown_command(other, words, "ipc copy")),
    }
}

fn socket_server(words: &mut Words) -> Outcome {
    let peers = words.parsed("--peers", "a whole number from 1 on", |&peers| peers > 0)?;
    let what = format!("a whole number from 1 to {MAX_CHUNK}");
    let chunk = words.parsed("--chunk", what, |chunk| (1..=MAX_CHUNK).contains(chunk))?;
    let path = words.path("--socket")?;
    let file = file(words)?;
    let source = Source::open(&file)?;
    let interrupt = Interrupt::on_signals()?;
    let listener = socket::listen(&socket_path(path)?)?;
    notice(format!("listening on {}", listener.path().display()));
    let service = Service {
        peers,
        chunk: chunk.unwrap_or(CHUNK),
    };
    Ok(server::serve(&listener, &source, service, &interrupt)?)
}

fn socket_client(words: &mut Words) -> Outcome {
    let destination = destination(words)?;
    let path = words.path("--socket")?;
    words.finish()?;
    let interrupt = Interrupt::on_signals()?;
    let copied = client::run(&socket_path(path)?, &destination, &interrupt)?;
    report(copied);
    Ok(())
}

fn socket_path(path: Option<PathBuf>) -> Result<PathBuf, Failure> {
    Ok(match path {
        Some(path) => path,
        None => socket::in_directory(copy::SOCKET_NAME)?,
    })
}

fn file(words: &mut Words) -> Result<PathBuf, Failure> {
    let Some(file) = words.plain() else {
        return Err(words.fault("which FILE is to be copied?"));
    };
    words.finish()?;
    Ok(file.into())
}

fn destination(words: &mut Words) -> Result<Destination, Failure> {
    let directory = words.path("--output")?.unwrap_or_else(|| ".".into());
    let force = words.flag("--force");
    Ok(Destination { directory, force })
}

fn report(copied: Option<PathBuf>) {
    if let Some(path) = copied {
        notice(format!("copied to {}", path.display()));
    }
}
