//! What every client with a user has to do: find its server, notice when the server disconnects, and end.

use super::{Check, Lab, Running, Verdict};
use crate::harness::Stream;

pub(super) const START: &[Check] = &[Check {
    name: "connects",
    points: 1,
    about: "it connects to the server at the path that it is given",
    cause: "socket and connect were not both called",
    run: connects,
}];

pub(super) const ENDING: &[Check] = &[
    Check {
        name: "ctrl-c",
        points: 1,
        about: "Ctrl-C ends it with exit code 0 while it waits",
        cause: "SIGINT has no handler, or fgets goes on after it: use sigaction without SA_RESTART",
        run: ctrl_c,
    },
    Check {
        name: "no-server",
        points: 1,
        about: "without a server it says so on stderr and ends with exit code 1",
        cause: "the result of connect is not looked at",
        run: no_server,
    },
    Check {
        name: "server-gone",
        points: 2,
        about: "when the server goes it says so at once, without waiting for its user, and ends with exit code 1",
        cause: "it waits for stdin alone: wait for the socket too (a second thread, select or poll)",
        run: server_gone,
    },
];

fn connects(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    host.accept(&client).map(drop)
}

fn ctrl_c(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let _server = host.accept(&client)?;
    client.settle();
    client.expect_clean_end_by("INT")
}

fn no_server(lab: &Lab) -> Verdict {
    let client = lab.start()?;
    client.expect_end(1)?;
    expect_complaint(&client)
}

fn server_gone(lab: &Lab) -> Verdict {
    let host = lab.listen()?;
    let client = lab.start()?;
    let server = host.accept(&client)?;
    client.settle();
    drop(server); // while the client waits for its user
    client.expect_end(1)?;
    expect_complaint(&client)
}

fn expect_complaint(client: &Running) -> Verdict {
    if client.printed(Stream::Stderr).trim().is_empty() {
        return Err(client
            .fault("it ends without a word")
            .expected("a line on stderr")
            .came("nothing"));
    }
    Ok(())
}
