//! The sum server and the chat server, at each stage, beside `socat`, side by side in one run:
//!
//! ```console
//! $ cargo build --release && cargo run --release --example stream_speed
//! ```
//!
//! One client sends all it has, ends its side, and waits for the server to close: 8 million integers, which
//! `socat` throws away, or 500,000 lines of 64 bytes, which go into a file. The servers take turns, in every
//! other round backwards; shown are the medians of seven rounds, after one that does not count.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 7;
/// How many bytes the client sends at a time.
const CHUNK: usize = 64 * 1024;

/// Which servers get what.
struct Course {
    servers: &'static [&'static str],
    bytes: fn() -> Vec<u8>,
}

const COURSES: [Course; 2] = [
    Course {
        servers: &[
            "rm -f s; exec socat -dd -u -b 65536 UNIX-LISTEN:s OPEN:/dev/null",
            "rm -f s; exec $IPC sum server --stage 1 --socket s",
            "exec $IPC sum server --stage 2 --socket s",
            "exec $IPC sum server --stage 3 --socket s",
            "exec $IPC sum server --socket s",
        ],
        bytes: || {
            let integers = (1..=8_000_000).chain([0]);
            integers.flat_map(i32::to_ne_bytes).collect()
        },
    },
    Course {
        servers: &[
            "rm -f s; exec socat -dd -u UNIX-LISTEN:s OPEN:out,creat,trunc",
            "rm -f s; exec $IPC chat server --stage 1 --socket s >out",
            "exec $IPC chat server --stage 2 --socket s >out",
            "exec $IPC chat server --stage 3 --socket s >out",
            "exec $IPC chat server --socket s >out",
        ],
        bytes: || {
            let lines = (0..500_000).map(|number| format!("{number:063}\n"));
            lines.collect::<String>().into()
        },
    },
];

/// Starts a server and waits until it listens.
fn start(line: &str, ipc: &Path, directory: &Path) -> io::Result<Child> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", line])
        .current_dir(directory)
        .env("IPC", ipc);
    let mut server = shell.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut said = BufReader::new(server.stderr.take().expect("it is a pipe"));
    said.read_line(&mut String::new())?;
    std::thread::spawn(move || io::copy(&mut said, &mut io::sink()));
    Ok(server)
}

/// How many seconds the server takes for these bytes.
fn time(line: &str, bytes: &[u8], ipc: &Path, directory: &Path) -> io::Result<f64> {
    let mut server = start(line, ipc, directory)?;
    let mut stream = UnixStream::connect(directory.join("s"))?;
    let start = Instant::now();
    bytes
        .chunks(CHUNK)
        .try_for_each(|chunk| stream.write_all(chunk))?;
    stream.shutdown(Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new())?;
    let time = start.elapsed().as_secs_f64();
    server.kill()?;
    server.wait()?;
    Ok(time)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() -> Result<(), Box<dyn Error>> {
    let release = env::current_exe()?
        .ancestors()
        .nth(2)
        .map(|at| at.join("ipc"));
    let ipc = release.filter(|ipc| ipc.exists());
    let ipc = ipc.ok_or("first build what is measured: cargo build --release")?;
    let directory = tempfile::tempdir()?;
    for Course { servers, bytes } in COURSES {
        let bytes = bytes();
        let mut times = vec![Vec::new(); servers.len()];
        let mut order: Vec<usize> = (0..servers.len()).collect();
        for round in 0..=ROUNDS {
            order.reverse();
            for &turn in &order {
                let time = time(servers[turn], &bytes, &ipc, directory.path())?;
                if round > 0 {
                    times[turn].push(time);
                }
            }
        }
        let times: Vec<_> = times.into_iter().map(median).collect();
        println!("{:<46} {:>8} {:>11}", "", "seconds", "of socat's");
        for (server, time) in servers.iter().zip(&times) {
            let name = server.split("exec ").last().unwrap_or_default();
            let name = name.split(" --socket").next().unwrap_or_default();
            let name = name.split(" UNIX").next().unwrap_or_default();
            println!("{name:<46} {time:>8.3} {:>11.2}", time / times[0]);
        }
    }
    Ok(())
}
