//! `ipc chat`: the words of the chat scenario.

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use ipc_primer::chat::client::{self, Typing};
use ipc_primer::chat::protocol::{ANONYMOUS, is_name};
use ipc_primer::chat::{self, Screen, login_name};
use ipc_primer::interrupt::Interrupt;
use ipc_primer::notice::notice;
use ipc_primer::socket;

use super::output::Output;
use super::words::Words;
use super::{Failure, Outcome, print, unknown_command};

/// Below the usual limit of 1,024 descriptors a process, with some left for the server itself.
const MAX_CLIENTS: usize = 1000;

const HELP: &str = "\
ipc chat: what clients type is shown at the server, and two-way also the reverse

In one terminal:
  ipc chat server [--two-way] [--max-clients N] [--socket PATH]
In another, or in several:
  ipc chat client [--name NAME] [--socket PATH]

The client sends what you type, line by line; Ctrl-D ends it. The server shows
every line as <name>#<number>: <text>. At a two-way server, type

  some text             to all clients
  @alice some text      to the client of that name
  @#2 some text         to the client of that number

Options:
  --two-way          send what is typed at the server to the clients
  --max-clients N    how many clients to serve at once (default 1000);
                     one more finds its connection closed
  --name NAME        1 to 32 characters without blanks (default: your login name)
  --socket PATH      the socket (default: chat.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)

`nc -U PATH` is a client, too.
Chapter 4 of the book explains it: docs/04-chat.md.
";

pub(super) fn run(words: &mut Words) -> Outcome {
    words.set_command("ipc chat");
    if words.wants_help() {
        return print(HELP);
    }
    match words.command().as_deref() {
        Some("server") => server(words),
        Some("client") => client(words),
        other => Err(unknown_command(other, words, "ipc chat")),
    }
}

fn server(words: &mut Words) -> Outcome {
    let two_way = words.flag("--two-way");
    let at_least_one = |&number: &usize| number > 0;
    let max_clients = words.parsed("--max-clients", "a whole number from 1 on", at_least_one)?;
    let max_clients = max_clients.unwrap_or(MAX_CLIENTS);
    let path = socket_path(words)?;
    let interrupt = Interrupt::on_signals()?;
    let listener = socket::listen(&path)?;
    notice(format!("listening on {}", path.display()));
    let screen = Screen::new(Output::stdout, &interrupt)?;
    let ended = match two_way {
        false => chat::one_way::serve(&listener, max_clients, &screen, &interrupt),
        true => chat::two_way::serve(&listener, max_clients, &screen, &interrupt),
    };
    drop(listener); // the socket file goes before the last lines do, which may take a moment
    Ok(ended.and(screen.finish())?)
}

fn client(words: &mut Words) -> Outcome {
    let what = "a name: 1 to 32 characters, no blank, no control character";
    let fits = |name: &String| is_name(name);
    let name = words.parsed("--name", what, fits)?;
    let name = name
        .or_else(login_name)
        .unwrap_or_else(|| ANONYMOUS.to_owned());
    let path = socket_path(words)?;
    let interrupt = Interrupt::on_signals()?;
    let screen = Arc::new(Screen::new(Output::stdout, &interrupt)?);
    let ended = client::run(&path, &name, typing(), &screen, &interrupt);
    let shown = screen.finish();
    Ok(ended.and(shown)?)
}

/// Keys are read one by one only on a terminal that both ends of us are at, and that can erase a row.
fn typing() -> Typing {
    let can_erase = env::var_os("TERM").is_some_and(|kind| !kind.is_empty() && kind != "dumb");
    match io::stdin().is_terminal() {
        false => Typing::Piped,
        true if io::stdout().is_terminal() && can_erase => Typing::Edited,
        true => Typing::Prompted,
    }
}

fn socket_path(words: &mut Words) -> Result<PathBuf, Failure> {
    let path = words.path("--socket")?;
    words.finish()?;
    Ok(match path {
        Some(path) => path,
        None => socket::in_directory(chat::SOCKET_NAME)?,
    })
}
