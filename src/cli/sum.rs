//! `ipc sum`: the words of the sum scenario.

use std::io::{self, BufReader, IsTerminal};

use crate::sum;
use crate::support::stdio::stdin;

use super::args::Args;
use super::output::Output;
use super::{Command, Outcome, listen, scenario};

/// Below the usual limit of 1,024 descriptors per process, with some left for the server itself.
const MAX_CLIENTS: usize = 1000;

const HELP: &str = "\
ipc sum: a client sends integers, the server answers with their sum

In one terminal:
  ipc sum server [--stage N] [--max-clients N] [--socket PATH]
In another, or in several:
  ipc sum client [--stage N] [--socket PATH]

The client reads integers from stdin, one a line; 0 asks for the sum.

Stages, each a file in src/sum/ (default: the last):
  1  plain           one client after the other; a bad client ends it
  2  survives        one client after the other; ends cleanly
  3  threaded        all clients at once
  4  large reads     many integers in one read

Options:
  --stage N          which of them to run; the client is the same from 2 on
  --max-clients N    how many clients stages 3 and 4 serve at once (default 1000);
                     one more is told to try again later
  --socket PATH      the socket (default: sum.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)

Chapter 3 of the book explains it: docs/03-sum.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    let commands: [Command; 2] = [("server", &server), ("client", &client)];
    scenario(words, "ipc sum", HELP, &commands)
}

fn server(words: &mut Args) -> Outcome {
    let stage = words.stage(sum::LAST_STAGE)?;
    let max_clients = words.positive("--max-clients")?;
    if stage < 3 && max_clients.is_some() {
        let fault =
            "--max-clients is for stages 3 and 4: stages 1 and 2 serve one client at a time";
        return Err(words.fault(fault));
    }
    let path = words.socket(sum::SOCKET_NAME)?;
    if stage == 1 {
        return Ok(sum::s1_plain::serve(&path)?);
    }
    let stop = words.stop()?;
    let listener = listen(&path)?;
    let max_clients = max_clients.unwrap_or(MAX_CLIENTS);
    Ok(match stage {
        2 => sum::s2_survives::serve(&listener, &stop),
        3 => sum::s3_threaded::serve(&listener, max_clients, &stop),
        _ => sum::s4_large_reads::serve(&listener, max_clients, &stop),
    }?)
}

fn client(words: &mut Args) -> Outcome {
    let stage = words.stage(sum::LAST_STAGE)?;
    let path = words.socket(sum::SOCKET_NAME)?;
    let mut output = Output::stdout()?;
    if stage == 1 {
        return Ok(sum::s1_plain::ask(&path, BufReader::new(stdin()), output)?);
    }
    let stop = words.stop()?;
    let prompts = io::stdin().is_terminal();
    Ok(sum::client::run(&path, prompts, &mut output, &stop)?)
}
