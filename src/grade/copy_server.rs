//! `copy-socket-server`: note 3's sender, by sockets; the grader is its clients.

use std::fs;

use super::{Assignment, Check, Fault, Lab, Peer, Running, Verdict, server, watch};

pub(super) const ASSIGNMENT: Assignment = Assignment {
    name: "copy-socket-server",
    about: "a server that sends a file to every client",
    chapter: "5",
    example: "./server {file} {socket}",
    page: include_str!("../../docs/assignments/copy-socket-server.md"),
    checks: &[
        ("starts", server::START),
        ("content", CHECKS),
        ("starts", server::ENDING),
    ],
};

const CHECKS: &[Check] = &[
    Check {
        name: "header",
        points: 2,
        about: "its first line is FILE <length> <name>",
        cause: "the length is not that of the file, or the name is the whole path and not its last component",
        run: header,
    },
    Check {
        name: "content",
        points: 2,
        about: "the file follows, byte for byte, and then the end of the stream",
        cause: "the file is sent as text, or the connection is not closed behind it",
        run: content,
    },
    Check {
        name: "empty",
        points: 1,
        about: "an empty file is a header and nothing else",
        cause: "a length of 0 is taken for an error",
        run: empty,
    },
    Check {
        name: "bytes",
        points: 1,
        about: "a file may hold any bytes, NUL and line ends too",
        cause: "strlen, fgets or printf was used on what is not text",
        run: bytes,
    },
    Check {
        name: "large",
        points: 2,
        about: "a file of 2 MiB and 1 byte is sent in full",
        cause: "only one buffer is read or sent, or a send that took a part only was not repeated for the rest",
        run: large,
    },
    Check {
        name: "next-client",
        points: 1,
        about: "the next client gets the file from its beginning",
        cause: "the file is opened once, and its offset is at the end after the first client",
        run: next_client,
    },
    Check {
        name: "at-once",
        points: 3,
        about: "clients are served while another does not read",
        cause: "accept is called again only when a client is done: one thread a client",
        run: at_once,
    },
    Check {
        name: "client-vanishes",
        points: 2,
        about: "a client that goes in the middle of the file harms nobody",
        cause: "the failed write ends the server: only this client is gone",
        run: client_vanishes,
    },
    Check {
        name: "memory",
        points: 1,
        about: "a file of 64 MiB takes less than 32 MiB of memory",
        cause: "the whole file is read into memory before it is sent: send it piece by piece",
        run: memory,
    },
    Check {
        name: "ctrl-c-busy",
        points: 1,
        about: "Ctrl-C ends it while a client does not read",
        cause: "a write that is blocked goes on after SIGINT: shut the connection down, or leave the loop at EINTR",
        run: ctrl_c_busy,
    },
];

/// A file of so many bytes that takes no room on the disk.
pub(super) fn write_sparse(lab: &Lab, length: u64) -> Verdict {
    Ok(fs::File::create(lab.file())?.set_len(length)?)
}

/// Expects a header with any content, the file, and then the end.
fn expect_copy(client: &mut Peer, bytes: &[u8]) -> Verdict {
    expect_begin(client, bytes)?;
    client.expect_end()
}

/// Expects a header and the first bytes of the file: the end is another check's business.
fn expect_begin(client: &mut Peer, bytes: &[u8]) -> Verdict {
    client.receive_line()?;
    client.expect(bytes)
}

/// Starts the server with these bytes in its file.
fn serve<'a>(lab: &'a Lab, bytes: &[u8]) -> Result<Running<'a>, Fault> {
    fs::write(lab.file(), bytes)?;
    lab.serve()
}

fn header(lab: &Lab) -> Verdict {
    let server = serve(lab, b"hello, world\n")?;
    server.connect()?.expect(b"FILE 13 file\n")?;
    drop(server);
    let _ = fs::remove_file(lab.socket()); // whether a socket file is left is another check's business
    write_sparse(lab, 5 << 30)?;
    let huge = lab.serve()?.connect()?.expect(b"FILE 5368709120 file\n");
    huge.map_err(|fault| {
        fault
            .given("a file of 5 GiB")
            .because("the length is kept in an int: 64 bits are needed (off_t, stat)")
    })
}

fn content(lab: &Lab) -> Verdict {
    let server = serve(lab, b"hello, world\n")?;
    expect_copy(&mut server.connect()?, b"hello, world\n")
}

fn empty(lab: &Lab) -> Verdict {
    let server = serve(lab, b"")?;
    expect_copy(&mut server.connect()?, b"")
}

fn bytes(lab: &Lab) -> Verdict {
    let bytes: Vec<u8> = (0..=255).rev().collect();
    let server = serve(lab, &bytes)?;
    expect_copy(&mut server.connect()?, &bytes)
}

fn large(lab: &Lab) -> Verdict {
    let bytes = lab.random().bytes((2 << 20) + 1);
    let server = serve(lab, &bytes)?;
    expect_copy(&mut server.connect()?, &bytes)
}

fn next_client(lab: &Lab) -> Verdict {
    let server = serve(lab, b"hello, world\n")?;
    for _ in 0..3 {
        expect_copy(&mut server.connect()?, b"hello, world\n")?;
    }
    Ok(())
}

fn at_once(lab: &Lab) -> Verdict {
    let bytes = lab.random().bytes(1 << 20);
    let server = serve(lab, &bytes)?;
    let mut slow = server.connect()?;
    server.settle(); // the slow client's buffer is full: the server waits for it
    for _ in 0..3 {
        let mut client = server.connect()?;
        expect_begin(&mut client, &bytes[..1000])?;
        client.receive_up_to(500_000);
    }
    expect_begin(&mut slow, &bytes[..1000])?;
    let rest = slow.receive_up_to(bytes.len() - 1000); // whether it is all is another check's business
    let expected = &bytes[1000..][..rest.len()];
    match rest == expected {
        true => Ok(()),
        false => Err(server
            .fault("a slow client gets the file from where the others are")
            .compared(expected, &rest)
            .because(ONE_OFFSET)),
    }
}

const ONE_OFFSET: &str = "all clients share one descriptor of the file, and so one offset: open it for each, or use pread";

fn client_vanishes(lab: &Lab) -> Verdict {
    let bytes = lab.random().bytes(1 << 20);
    let server = serve(lab, &bytes)?;
    for count in [0, 5, 100_000] {
        server.connect()?.receive_up_to(count);
        server.settle();
    }
    expect_begin(&mut server.connect()?, &bytes[..1000])
}

fn memory(lab: &Lab) -> Verdict {
    const PART: usize = 1 << 20;
    write_sparse(lab, 64 << 20)?;
    let server = lab.serve()?;
    let before = watch::peak_memory(server.pid());
    let mut client = server.connect()?;
    let mut most = 0;
    while client.receive_up_to(PART).len() == PART {
        most = most.max(watch::peak_memory(server.pid()));
    }
    match most.saturating_sub(before) >> 10 {
        ..32 => Ok(()),
        _ => Err(Fault::new("its memory grows with the file")
            .expected("less than 32 MiB for a file of 64 MiB")
            .came("32 MiB or more")),
    }
}

fn ctrl_c_busy(lab: &Lab) -> Verdict {
    write_sparse(lab, 8 << 20)?;
    let server = lab.serve()?;
    let _client = server.connect()?;
    server.settle();
    server.expect_clean_end_by("INT")
}
