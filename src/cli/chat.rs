//! `ipc chat`: the words of the chat scenario.

use std::env;
use std::io::{self, BufReader, IsTerminal};
use std::sync::Arc;

use crate::chat::client;
use crate::chat::protocol::{ANONYMOUS, is_name};
use crate::chat::{self, Screen, Typing, login_name};
use crate::support::stdio::stdin;

use super::args::Args;
use super::output::Output;
use super::{Command, Outcome, listen, scenario};

/// Below the usual limit of 1,024 descriptors per process, with some left for the server itself.
const MAX_CLIENTS: usize = 1000;

const HELP: &str = "\
ipc chat: what clients type is shown at the server, and two-way also the reverse

In one terminal:
  ipc chat server [--stage N] [--max-clients N] [--socket PATH]
In another, or in several:
  ipc chat client [--stage N] [--name NAME] [--socket PATH]

The client sends what you type, line by line; Ctrl-D ends it. The server shows
every line as <name>#<number>: <text>. From stage 3 on, type at the server

  some text             to all clients
  @alice some text      to the client of that name
  @#2 some text         to the client of that number

Stages, each a file in src/chat/ (default: the last):
  1  plain           one-way; the server's terminal obeys its clients
  2  survives        one-way; ends cleanly
  3  two-way         one client that stops reading stops the room
  4  outboxes        two-way; slow readers are dropped

Options:
  --stage N          which of them to run; the client is the same from 2 on
  --max-clients N    how many clients to serve at once, from stage 2 on (default
                     1000); one more finds its connection closed
  --name NAME        1 to 32 characters without blanks (default: your login name)
  --socket PATH      the socket (default: chat.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)

`nc -U PATH` is a client, too.
Chapter 4 of the book explains it: docs/04-chat.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    let commands: [Command; 2] = [("server", &server), ("client", &client)];
    scenario(words, "ipc chat", HELP, &commands)
}

fn server(words: &mut Args) -> Outcome {
    let stage = words.stage(chat::LAST_STAGE)?;
    let max_clients = words.positive("--max-clients")?;
    if stage == 1 && max_clients.is_some() {
        return Err(words.fault("--max-clients is for stages 2 to 4: stage 1 has no limit"));
    }
    let path = words.socket(chat::SOCKET_NAME)?;
    if stage == 1 {
        return Ok(chat::s1_plain::serve(&path)?);
    }
    let (stop, output) = (words.stop()?, Output::stdout()?);
    let listener = listen(&path)?;
    let screen = Screen::new(output, &stop)?;
    let max_clients = max_clients.unwrap_or(MAX_CLIENTS);
    let ended = match stage {
        2 => chat::s2_survives::serve(&listener, max_clients, &screen, &stop),
        3 => chat::s3_two_way::serve(&listener, max_clients, &screen, &stop),
        _ => chat::s4_outboxes::serve(&listener, max_clients, &screen, &stop),
    };
    drop(listener); // remove the socket file before the last lines are written, which may take a moment
    Ok(ended.and(screen.finish())?)
}

fn client(words: &mut Args) -> Outcome {
    let stage = words.stage(chat::LAST_STAGE)?;
    let what = "a name: 1 to 32 characters, no blank, no control character";
    let fits = |name: &String| is_name(name);
    let name = words.parsed("--name", what, fits)?;
    let name = name
        .or_else(login_name)
        .unwrap_or_else(|| ANONYMOUS.to_owned());
    let path = words.socket(chat::SOCKET_NAME)?;
    if stage == 1 {
        return Ok(chat::s1_plain::talk(&path, &name, BufReader::new(stdin()))?);
    }
    let stop = words.stop()?;
    let screen = Arc::new(Screen::new(Output::stdout()?, &stop)?);
    let ended = client::run(&path, &name, typing(), &screen, &stop);
    let shown = screen.finish();
    Ok(ended.and(shown)?)
}

/// Keys are read one by one only if stdin and stdout are terminals, and if a row can be erased.
fn typing() -> Typing {
    let can_erase = env::var_os("TERM").is_some_and(|kind| !kind.is_empty() && kind != "dumb");
    match io::stdin().is_terminal() {
        false => Typing::Piped,
        true if io::stdout().is_terminal() && can_erase => Typing::Edited,
        true => Typing::Prompted,
    }
}
