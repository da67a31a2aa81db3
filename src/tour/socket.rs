//! The life of a socket file (chapters 1 and 2).

use std::io;

use super::{Scene, Stage};

pub(super) const SCENES: &[Scene] = &[Scene {
    name: "socket-file",
    chapter: "2",
    about: "a file outlives its killed server and is taken over",
    play: socket_file,
}];

fn socket_file(stage: &Stage) -> io::Result<()> {
    let server = &["sum", "server"];
    let file = stage.path("sum.sock");

    let mut first = stage.start("server 1", server)?;
    first.says("listening on")?;
    let mut second = stage.start("server 2", server)?;
    second.says("another server is listening")?;
    second.ends(Some(1))?;
    first.gets("KILL")?;
    first.ends(None)?;
    stage.check("the killed server left its socket file", file.exists())?;

    let mut third = stage.start("server 3", server)?;
    third.says("listening on")?;
    third.gets("INT")?;
    third.ends(Some(0))?;
    stage.check("the server that was ended removed it", !file.exists())
}
