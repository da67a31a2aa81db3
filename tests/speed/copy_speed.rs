//! Both copies beside `cp` and `socat`, side by side in one run:
//!
//! ```console
//! $ cargo build --release && cargo run --release --example copy_speed
//! ```
//!
//! Whole commands are timed, from the start of the first process to the end of the last. The file has
//! 1024 MiB of random bytes, or as many as the first argument says, and is in memory like its copies:
//! `/dev/shm` needs room for five of it. The ways take turns, in every other round backwards: each
//! feels in what state the one before it left the memory. Shown are the medians of seven rounds, after
//! one that does not count. The numbers behind `ipc copy socket` are its stages.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::time::Instant;

use ipc_primer::stop::StopToken;
use tempfile::TempDir;

const ROUNDS: usize = 7;

/// A way to copy: two lines for the shell. `$TO` is the directory for a copy.
struct Way {
    name: &'static str,
    /// Run once. It says a line on stderr when it is ready; empty if there is no such process.
    giver: &'static str,
    /// Run for each copy.
    taker: &'static str,
    /// Whether the giver ends on its own when all have their copy.
    ends: bool,
}

const WAYS: [Way; 6] = [
    Way {
        name: "cp",
        giver: "",
        taker: "exec cp file $TO",
        ends: true,
    },
    Way {
        name: "ipc copy socket 1",
        giver: "rm -f plain; exec $IPC copy socket server file --stage 1 --socket plain",
        taker: "exec $IPC copy socket client --stage 1 --output $TO --socket plain",
        ends: false,
    },
    Way {
        name: "ipc copy socket 2",
        giver: "exec $IPC copy socket server file --stage 2 --peers $PEERS --socket socket",
        taker: "exec $IPC copy socket client --stage 2 --output $TO --socket socket",
        ends: true,
    },
    Way {
        name: "ipc copy socket 3",
        giver: "exec $IPC copy socket server file --peers $PEERS --socket socket",
        taker: "exec $IPC copy socket client --output $TO --socket socket",
        ends: true,
    },
    Way {
        name: "ipc copy sharedmem",
        giver: "exec $IPC copy sharedmem sender file --receivers $PEERS --name $RING",
        taker: "exec $IPC copy sharedmem receiver --output $TO --name $RING",
        ends: true,
    },
    Way {
        name: "socat -b 1048576",
        giver: "",
        taker: "socat -u -b 1048576 OPEN:file UNIX-LISTEN:$TO.sock & \
                exec socat -u -b 1048576 UNIX-CONNECT:$TO.sock,retry=1000,interval=0.001 \
                OPEN:$TO/file,creat",
        ends: true,
    },
];

struct Bench {
    directory: TempDir,
    ipc: PathBuf,
}

impl Bench {
    fn new(mebibytes: u64) -> Result<Self, Box<dyn Error>> {
        let release = env::current_exe()?.ancestors().nth(2).map(PathBuf::from);
        let ipc = release.ok_or("this program is not where cargo puts it")?;
        let ipc = ipc.join("ipc");
        if !ipc.exists() {
            return Err("first build what is measured: cargo build --release".into());
        }
        let directory = TempDir::new_in("/dev/shm")?;
        let mut file = File::create(directory.path().join("file"))?;
        let random = File::open("/dev/urandom")?;
        io::copy(&mut random.take(mebibytes << 20), &mut file)?;
        let bench = Self { directory, ipc };
        bench.touch_memory()?;
        Ok(bench)
    }

    /// The first use of a page of memory can take many times longer than the next ones, above all on a
    /// virtual machine, whose host gives it memory only then.
    fn touch_memory(&self) -> io::Result<()> {
        let at = |name: &str| self.directory.path().join(name);
        for copy in ["1", "2", "3", "4"] {
            fs::copy(at("file"), at(copy))?;
        }
        ["1", "2", "3", "4"]
            .into_iter()
            .try_for_each(|copy| fs::remove_file(at(copy)))
    }

    fn start(&self, line: &str, peers: usize, to: &str) -> io::Result<Child> {
        let ring = format!("copy-speed-{}", process::id());
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.directory.path());
        let shell = shell.env("IPC", &self.ipc).env("RING", ring);
        let shell = shell.env("PEERS", peers.to_string()).env("TO", to);
        shell.stderr(Stdio::piped()).spawn()
    }

    /// Starts a giver and waits until it says that it is ready.
    fn start_ready(&self, line: &str, peers: usize) -> io::Result<Child> {
        let mut giver = self.start(line, peers, "")?;
        let said = giver.stderr.take().expect("it is a pipe");
        let mut said = BufReader::new(said);
        said.read_line(&mut String::new())?;
        giver.stderr = Some(said.into_inner());
        Ok(giver)
    }

    /// So many copies at once: how many seconds they take.
    fn time(&self, way: &Way, peers: usize) -> Result<f64, Box<dyn Error>> {
        let outputs: Vec<_> = (0..peers).map(|peer| format!("to-{peer}")).collect();
        for output in &outputs {
            fs::create_dir(self.directory.path().join(output))?;
        }
        let start = Instant::now();
        let giver = match way.giver {
            "" => None,
            line => Some(self.start_ready(line, peers)?),
        };
        let takers = outputs
            .iter()
            .map(|output| self.start(way.taker, peers, output));
        for taker in takers.collect::<Vec<_>>() {
            end(taker?)?;
        }
        match giver {
            Some(mut giver) if !way.ends => {
                giver.kill()?;
                giver.wait()?;
            }
            giver => giver.map_or(Ok(()), end)?,
        }
        let time = start.elapsed().as_secs_f64();
        for output in &outputs {
            fs::remove_dir_all(self.directory.path().join(output))?;
        }
        Ok(time)
    }

    /// The median times of all ways, in their order.
    fn medians(&self, peers: usize, stop: &StopToken) -> Result<Vec<f64>, Box<dyn Error>> {
        let ways = WAYS.iter().filter(|way| is_there(way));
        let mut times: Vec<(&Way, Vec<f64>)> = ways.map(|way| (way, Vec::new())).collect();
        let mut order: Vec<usize> = (0..times.len()).collect();
        for round in 0..=ROUNDS {
            order.reverse();
            for turn in &order {
                let (way, times) = &mut times[*turn];
                let time = self.time(way, peers)?;
                if stop.is_requested() {
                    return Err("broken off".into());
                }
                if round > 0 {
                    times.push(time);
                }
            }
        }
        Ok(times.into_iter().map(|(_, times)| median(times)).collect())
    }
}

fn end(process: Child) -> Result<(), Box<dyn Error>> {
    let output = process.wait_with_output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn is_there(way: &Way) -> bool {
    let tool = way.name.split(' ').next().expect("a name has a word");
    let found = Command::new("sh")
        .args(["-c", &format!("command -v {tool}")])
        .output();
    tool == "ipc" || found.is_ok_and(|found| found.status.success())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mebibytes = env::args().nth(1).map_or(Ok(1024), |word| word.parse())?;
    let stop = StopToken::on_signals()?;
    let bench = Bench::new(mebibytes)?;
    println!("{mebibytes} MiB in memory, medians of {ROUNDS} rounds, in seconds");
    for peers in [1, 4] {
        println!(
            "\n{:<22} {:>8} {:>8}",
            format!("copies at once: {peers}"),
            "time",
            "of cp's"
        );
        let times = bench.medians(peers, &stop)?;
        let ways = WAYS.iter().filter(|way| is_there(way));
        for (way, time) in ways.zip(&times) {
            println!("{:<22} {time:>8.3} {:>8.2}", way.name, time / times[0]);
        }
    }
    Ok(())
}
