//! The life of a socket file (chapters 1 and 2).

use std::io;

use super::{Scene, Theatre};

pub(super) const SCENES: &[Scene] = &[Scene {
    name: "socket-file",
    chapter: "2",
    about: "a file outlives its killed server and is taken over",
    play: socket_file,
}];

fn socket_file(theatre: &Theatre) -> io::Result<()> {
    let server = &["sum", "server"];
    let file = theatre.path("sum.sock");

    let mut first = theatre.start("server 1", server)?;
    first.says("listening on")?;
    let mut second = theatre.start("server 2", server)?;
    second.says("another server is listening")?;
    second.ends(Some(1))?;
    first.gets("KILL")?;
    first.ends(None)?;
    theatre.check("the killed server left its socket file", file.exists())?;

    let mut third = theatre.start("server 3", server)?;
    third.says("listening on")?;
    third.gets("INT")?;
    third.ends(Some(0))?;
    theatre.check("the server that was ended removed it", !file.exists())
}
