//! Measuring copies of a file: whole commands, from the start of the first process to the end of the last.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::process::{Lab, Process, is_installed};
use super::results::{Cell, Sample};

/// How much of the file is made between two checks for a stop, in bytes.
const PIECE: u64 = 16 << 20;

/// The ways to copy a file: `cp`, and our own stages.
pub const COPIES: [&str; 6] = [
    "cp",
    "copy-socket-1",
    "copy-socket-2",
    "copy-socket-3",
    "copy-sharedmem-2",
    "copy-sharedmem-3",
];

/// With how many receivers each way is measured.
pub(super) fn receivers(way: &str) -> &'static [usize] {
    match way {
        "cp" if !is_installed("cp") => &[],
        "copy-sharedmem-2" => &[1], // it has one slot, for one receiver
        _ => &[1, 4],
    }
}

/// The words after `ipc` for the process that has the file, if there is one, and for each that gets a copy.
fn words(way: &str, receivers: usize, name: &str) -> (Option<String>, String) {
    let (kind, stage) = way.rsplit_once('-').unwrap_or_default();
    match (kind, stage) {
        ("copy-socket", stage) => {
            let peers = if stage == "1" {
                String::new()
            } else {
                format!(" --peers {receivers}")
            };
            (
                Some(format!(
                    "copy socket server ../file --stage {stage} --socket socket{peers}"
                )),
                format!("copy socket client --stage {stage} --socket socket --output"),
            )
        }
        ("copy-sharedmem", stage) => {
            let all = if stage == "2" {
                String::new()
            } else {
                format!(" --receivers {receivers}")
            };
            (
                Some(format!(
                    "copy sharedmem sender ../file --stage {stage} --name {name}{all}"
                )),
                format!("copy sharedmem receiver --stage {stage} --name {name} --output"),
            )
        }
        _ => (None, "../file".into()),
    }
}

/// Makes the file that is copied: random bytes, which no file system can make smaller.
pub(super) fn make_file(lab: &Lab, bytes: usize) -> io::Result<()> {
    let random = File::open("/dev/urandom")?;
    let mut file = File::create(lab.path("file"))?;
    let mut left = bytes as u64;
    while left > 0 && !lab.stop.is_requested() {
        left -= io::copy(&mut (&random).take(left.min(PIECE)), &mut file)?;
    }
    Ok(())
}

/// Copies the file once, to as many processes as the cell says.
pub(super) fn measure(lab: &Lab, cell: &Cell) -> io::Result<Sample> {
    let name = lab.new_name();
    let directory = lab.path(&name);
    for number in 0..cell.receivers {
        fs::create_dir_all(directory.join(number.to_string()))?;
    }
    let start = Instant::now();
    copy(lab, cell, &directory, &name)?;
    let time = start.elapsed();
    fs::remove_dir_all(directory)?;
    Ok(Sample::of_mean(time.as_nanos() as f64))
}

fn copy(lab: &Lab, cell: &Cell, directory: &Path, name: &str) -> io::Result<()> {
    let start = |mut command: Command, words: &str| {
        command.args(words.split(' ')).current_dir(directory);
        lab.start(command.stdin(Stdio::null()).stdout(Stdio::null()))
    };
    let (sender, receiver) = words(cell.name, cell.receivers, name);
    let program = if sender.is_none() {
        Path::new("cp")
    } else {
        lab.program
    };
    let sender = sender
        .map(|words| start(Command::new(program), &words))
        .transpose()?;
    if let Some(sender) = &sender {
        let ready = if cell.name.starts_with("copy-socket") {
            "listening"
        } else {
            "sending"
        };
        sender.wait_for(ready)?;
    }
    let to = |number: usize| start(lab.command(program), &format!("{receiver} {number}"));
    let receivers: io::Result<Vec<_>> = (0..cell.receivers).map(to).collect();
    receivers?.into_iter().try_for_each(Process::wait)?;
    match sender {
        Some(sender) if cell.name != "copy-socket-1" => sender.wait(),
        _ => Ok(()), // stage 1 keeps serving, and is killed
    }
}
