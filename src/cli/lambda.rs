//! `ipc lambda`: the words of the lambda scenario.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::lambda::protocol::Request;
use crate::lambda::{self, Runtime, Settings, client};
use crate::socket;

use super::args::Args;
use super::options::or_default;
use super::output::Output;
use super::{Command, Failure, Outcome, scenario};

/// The options that only the last stage knows.
const LIMITS: [&str; 5] = [
    "--runtime",
    "--allow",
    "--max-running",
    "--timeout",
    "--max-output",
];

const HELP: &str = "\
ipc lambda: a server runs functions from libraries and says where their output is

In one terminal:
  ipc lambda server [--stage N] [OPTIONS]
In another, or in several:
  ipc lambda invoke LIBRARY [FUNCTION [FILE]] [--stage N] [--show] [--socket PATH]

A library is an executable, started as `LIBRARY FUNCTION [FILE]`; FUNCTION is
`run` if it is not named. What it prints goes to a new file, whose path is the
answer. A relative LIBRARY is looked for where the server was started.

Stages, each a file in src/lambda/ (default: the last):
  1  plain           starts the process, answers with the path
  2  survives        survives its clients; ends cleanly
  3  limits          limits to time, output and numbers; kills whole groups

Options of invoke:
  --show             print what the output file holds, not its path; the exit
                     code is 0 even if that is an `Error:` line

Options of server:
  --output-dir DIR   where to put output files, made if it is not there
                     (default: lambda-output, beside the default socket)

Options of server at stage 3:
  --runtime SUFFIX=PROGRAM
                     run libraries whose names end in SUFFIX as
                     `PROGRAM LIBRARY FUNCTION [FILE]`; can be repeated
  --allow DIR        run libraries in DIR and below only; can be repeated
  --max-running N    how many functions run at once, the others wait their turn
                     (default 256, or fewer if the limit of open files is low)
  --timeout SECONDS  how long a function may run before it is killed, and a
                     client may be silent (default 10)
  --max-output BYTES how much a function may print before it is killed
                     (default 67108864)

Options of both:
  --stage N          which of them to run; invoke is the same from 2 on
  --socket PATH      the socket (default: lambda.sock in $IPC_PRIMER_DIR, else in
                     $XDG_RUNTIME_DIR/ipc-primer, else in /tmp/ipc-primer-<uid>)

Chapter 9 of the book explains it: docs/09-lambda.md.
";

pub(super) fn run(words: &mut Args) -> Outcome {
    let commands: [Command; 2] = [("server", &server), ("invoke", &invoke)];
    scenario(words, "ipc lambda", HELP, &commands)
}

fn server(words: &mut Args) -> Outcome {
    let stage = words.stage(lambda::LAST_STAGE)?;
    let path = words.path("--socket")?;
    let output_dir = words.path("--output-dir")?;
    let settings = match stage {
        3 => settings(words)?,
        _ => no_settings(words)?,
    };
    words.finish()?;
    let output_dir = or_default(output_dir, lambda::OUTPUT_NAME)?;
    let path = or_default(path, lambda::SOCKET_NAME)?;
    if stage == 1 {
        return Ok(lambda::s1_plain::serve(&path, &output_dir)?);
    }
    let stop = words.stop()?;
    let listener = socket::listen(&path)?;
    if stage == 2 {
        return Ok(lambda::s2_survives::serve(&listener, &output_dir, &stop)?);
    }
    let settings = Settings {
        output_dir,
        ..settings
    };
    Ok(lambda::serve(&listener, &settings, &stop)?)
}

/// The settings that words can change, except the directory, which is not made if the words are wrong.
fn settings(words: &mut Args) -> Result<Settings, Failure> {
    let mut settings = Settings::new("");
    for value in every(words, "--runtime")? {
        settings.runtimes.push(runtime(words, &value)?);
    }
    let allow = every(words, "--allow")?;
    settings.allow = allow.into_iter().map(PathBuf::from).collect();
    settings.max_running = words.positive("--max-running")?;
    if let Some(bytes) = words.parsed("--max-output", "a number of bytes", |_| true)? {
        settings.max_output = bytes;
    }
    if let Some(timeout) = timeout(words)? {
        settings.timeout = timeout;
    }
    Ok(settings)
}

/// The settings of stages 1 and 2, which know no option of the last stage.
fn no_settings(words: &mut Args) -> Result<Settings, Failure> {
    for name in LIMITS {
        if words.value(name)?.is_some() {
            let fault = format!("{name} is for stage 3: stages 1 and 2 set no limits");
            return Err(words.fault(fault));
        }
    }
    Ok(Settings::new(""))
}

fn invoke(words: &mut Args) -> Outcome {
    let stage = words.stage(lambda::LAST_STAGE)?;
    let path = words.path("--socket")?;
    let show = words.flag("--show");
    let request = request(words)?;
    words.finish()?;
    let path = or_default(path, lambda::SOCKET_NAME)?;
    let output = match stage {
        1 => lambda::s1_plain::invoke(&path, &request.to_string())?.into(),
        _ => match client::invoke(&path, &request, &words.stop()?)? {
            Some(output) => output,
            None => return Ok(()), // Ctrl-C
        },
    };
    let mut stdout = Output::stdout()?;
    Ok(match show {
        true => stdout.text(client::open_output(&output)?),
        false => stdout.line(output.as_os_str().as_bytes()),
    }?)
}

fn request(words: &mut Args) -> Result<Request, Failure> {
    let mut field = || {
        let text = |word: OsString| {
            word.into_string()
                .map_err(|word| format!("{word:?} is not UTF-8"))
        };
        words.argument().map(text).transpose()
    };
    let fields = field().and_then(|library| Ok((library, field()?, field()?)));
    let (library, function, file) = fields.map_err(|fault| words.fault(fault))?;
    let library = library.ok_or_else(|| words.fault("`ipc lambda invoke` needs a LIBRARY"))?;
    Request::new(&library, function.as_deref(), file.as_deref()).map_err(|fault| words.fault(fault))
}

fn runtime(words: &Args, value: &OsString) -> Result<Runtime, Failure> {
    let parts = value.to_str().and_then(|text| text.split_once('='));
    match parts {
        Some((suffix, program)) if !suffix.is_empty() && !program.is_empty() => Ok(Runtime {
            suffix: suffix.to_owned(),
            program: program.into(),
        }),
        _ => Err(words.fault(format!(
            "--runtime needs SUFFIX=PROGRAM, which {value:?} is not"
        ))),
    }
}

fn timeout(words: &mut Args) -> Result<Option<Duration>, Failure> {
    let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    // At most about a year: a longer time does not fit every clock.
    let fits = |&seconds: &f64| seconds <= 3.2e7 && duration(seconds).is_some_and(|d| !d.is_zero());
    let seconds = words.parsed("--timeout", "a number of seconds", fits)?;
    Ok(seconds.and_then(duration))
}

/// All values of an option that can be repeated.
fn every(words: &mut Args, name: &str) -> Result<Vec<OsString>, Failure> {
    let mut values = Vec::new();
    while let Some(value) = words.value(name)? {
        values.push(value);
    }
    Ok(values)
}
