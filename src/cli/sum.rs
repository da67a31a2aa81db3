//! `ipc sum`: the words of the sum scenario.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use ipc_primer::interrupt::Interrupt;
use ipc_primer::notice::notice;
use ipc_primer::{socket, sum};

use super::output::Output;
use super::words::Words;
use super::{Failure, Outcome, print, unknown_command};

/// Below the usual limit of 1,024 descriptors a process, with some left for the server itself.
const MAX_CLIENTS: usize = 1000;

const HELP: &str = "\
ipc sum: a client sends integers, the server answers with their sum

In one terminal:
  ipc sum server [--sequential] [--max-clients N] [--socket PATH]
In another, or in several:
  ipc sum client [--socket PATH]

The client reads integers from stdin, one a line; 0 asks for the sum.

Options:
  --sequential       serve one client at a time; the others wait
  --max-clients N    how many clients to serve at once (default 1000);
                     one more is told to try again later
  --socket PATH      the socket (default: sum.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)

Chapter 3 of the book explains it: docs/03-sum.md.
";

pub(super) fn run(words: &mut Words) -> Outcome {
    words.set_command("ipc sum");
    if words.wants_help() {
        return print(HELP);
    }
    match words.command().as_deref() {
        Some("server") => server(words),
        Some("client") => client(words),
        other => Err(unknown_command(other, words, "ipc sum")),
    }
}

fn server(words: &mut Words) -> Outcome {
    let sequential = words.flag("--sequential");
    let at_least_one = |&number: &usize| number > 0;
    let max_clients = words.parsed("--max-clients", "a whole number from 1 on", at_least_one)?;
    if sequential && max_clients.is_some() {
        return Err(words.fault("--max-clients has no meaning with --sequential: it serves one"));
    }
    let path = socket_path(words)?;
    let interrupt = Interrupt::on_signals()?;
    let listener = socket::listen(&path)?;
    notice(format!("listening on {}", path.display()));
    let ended = match sequential {
        true => sum::sequential::serve(&listener, &interrupt),
        false => sum::threaded::serve(&listener, max_clients.unwrap_or(MAX_CLIENTS), &interrupt),
    };
    Ok(ended?)
}

fn client(words: &mut Words) -> Outcome {
    let path = socket_path(words)?;
    let interrupt = Interrupt::on_signals()?;
    let prompts = io::stdin().is_terminal();
    Ok(sum::client::run(
        &path,
        prompts,
        &mut Output::stdout(),
        &interrupt,
    )?)
}

fn socket_path(words: &mut Words) -> Result<PathBuf, Failure> {
    let path = words.path("--socket")?;
    words.finish()?;
    Ok(match path {
        Some(path) => path,
        None => socket::in_directory(sum::SOCKET_NAME)?,
    })
}
