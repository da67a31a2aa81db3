//! The submissions: for each assignment our own program, and one that is right or makes a mistake.

/// What makes a submission of a file of `tests/grade/programs/`.
pub enum Source {
    /// A program in C, and the flags that make of it what the assignment asks for.
    C(&'static str, &'static [&'static str]),
    /// A script around `ipc`.
    Script(&'static str),
}

/// The submissions for one assignment.
pub struct Collection {
    pub assignment: &'static str,
    /// Our own program, behind `ipc`.
    pub own: &'static [&'static str],
    pub source: Source,
    /// The arguments of the program in C.
    pub words: &'static [&'static str],
    /// Each mistake as the source names it, and the only check that then does not hold.
    pub wrong: &'static [(&'static str, &'static str)],
}

pub const COLLECTIONS: &[Collection] = &[
    Collection {
        assignment: "sum-server",
        own: &["sum", "server", "--sequential", "--socket", "{socket}"],
        source: Source::C("sum_server.c", &[]),
        words: &["{socket}"],
        wrong: &[
            ("ignores-term", "term"),
            ("ends-with-its-client", "client-vanishes"),
            ("answers-before-0", "waits-for-0"),
            ("sends-the-text-alone", "frame"),
            ("keeps-the-connection", "closes"),
            ("unsigned-integers", "negative"),
            ("reads-one-integer", "glued"),
            ("reads-4-bytes", "cut"),
            ("looks-for-a-byte-0", "random"),
            ("int-sum", "large-sum"),
            ("adds-what-follows-0", "ignores-the-rest"),
            ("dies-of-sigpipe", "sigpipe"),
            ("takes-ctrl-c-for-a-failure", "ctrl-c"),
            ("forgets-unlink", "unlinks"),
            ("stumbles-over-a-stale-file", "stale"),
            ("forgets-goodbye", "goodbye"),
            ("removes-any-file", "spares-files"),
        ],
    },
    Collection {
        assignment: "sum-server-threaded",
        own: &["sum", "server", "--socket", "{socket}"],
        source: Source::C("sum_server.c", &["-DFORKS"]),
        words: &["{socket}"],
        wrong: &[
            ("keeps-the-connection", "closes"),
            ("never-waits", "zombies"),
            ("serves-one-at-a-time", "two-at-once"),
        ],
    },
    Collection {
        assignment: "sum-client",
        own: &["sum", "client", "--socket", "{socket}"],
        source: Source::C("sum_client.c", &[]),
        words: &["{socket}"],
        wrong: &[
            ("uses-atoi", "ignores-invalid"),
            ("sends-on-after-0", "stops-at-0"),
            ("reads-the-frame-at-once", "frame-in-pieces"),
            ("prints-the-padding", "no-padding"),
            ("sends-0-at-the-end", "end-of-input"),
            ("has-no-handler", "ctrl-c"),
            ("watches-its-user-alone", "server-gone"),
            ("takes-any-frame", "goodbye"),
            ("dies-of-sigpipe", "sigpipe"),
        ],
    },
    Collection {
        assignment: "chat-one-way",
        own: &["chat", "server", "--socket", "{socket}"],
        source: Source::C("chat_server.c", &[]),
        words: &["{socket}"],
        wrong: &[
            ("takes-any-line-for-hello", "anonymous"),
            ("takes-a-read-for-a-line", "glued"),
            ("keeps-the-carriage-return", "crlf"),
            ("prints-what-comes", "escapes"),
            ("at-most-ten", "hundred"),
        ],
    },
    Collection {
        assignment: "chat-two-way",
        own: &["chat", "server", "--two-way", "--socket", "{socket}"],
        source: Source::C("chat_server.c", &["-DTWO_WAY"]),
        words: &["{socket}"],
        wrong: &[
            ("knows-no-numbers", "to-a-number"),
            ("sends-the-unknown-to-all", "unknown"),
            ("ends-with-its-input", "end-of-input"),
            ("waits-for-slow-clients", "stuck-client"),
        ],
    },
    Collection {
        assignment: "chat-client",
        own: &["chat", "client", "--name", "{name}", "--socket", "{socket}"],
        source: Source::C("chat_client.c", &[]),
        words: &["{socket}", "{name}"],
        wrong: &[
            ("tells-its-parent-s-pid", "hello"),
            ("takes-a-read-for-a-line", "glued"),
            ("shows-pieces", "cut"),
            ("prints-what-comes", "escapes"),
            ("dies-of-sigpipe", "sigpipe"),
            ("fails-without-a-code", "no-server"),
        ],
    },
    Collection {
        assignment: "copy-socket-server",
        own: &["copy", "socket", "server", "{file}", "--socket", "{socket}"],
        source: Source::C("copy_server.c", &[]),
        words: &["{file}", "{socket}"],
        wrong: &[
            ("truncates-at-64-kib", "large"),
            ("sends-the-whole-path", "header"),
            ("serves-one-at-a-time", "at-once"),
            ("reads-all-into-memory", "memory"),
            ("refuses-empty-files", "empty"),
        ],
    },
    Collection {
        assignment: "copy-socket-client",
        own: &[
            "copy", "socket", "client", "--output", "{dir}", "--socket", "{socket}",
        ],
        source: Source::C("copy_client.c", &[]),
        words: &["{socket}", "{dir}"],
        wrong: &[
            ("reads-the-header-at-once", "cut-header"),
            ("ends-names-at-blanks", "name-with-blanks"),
            ("takes-the-end-for-the-files-end", "broken-off"),
            ("trusts-the-name", "stays-in-its-directory"),
            ("overwrites-files", "spares-files"),
            ("forgets-its-part", "ctrl-c-busy"),
            ("refuses-empty-files", "empty"),
        ],
    },
    Collection {
        assignment: "copy-sharedmem",
        own: &["copy", "sharedmem"],
        source: Source::Script("copy_sharedmem.sh"),
        words: &[],
        wrong: &[
            ("refuses-empty-files", "empty"),
            ("puts-it-all-in-memory", "bounded"),
            ("forgets-to-unlink", "leaves-nothing"),
            ("keeps-what-it-has", "sender-killed"),
        ],
    },
    Collection {
        assignment: "signals",
        own: &["signals", "wait"],
        source: Source::C("signals.c", &[]),
        words: &[],
        wrong: &[
            ("ignores-hup", "hup"),
            ("exits-in-the-handler", "says-so"),
            ("handles-pipe", "pipe"),
            ("handles-usr2", "leaves-alone"),
            ("blocks-alrm", "blocks-nothing"),
            ("quits-at-the-second", "burst"),
        ],
    },
    Collection {
        assignment: "queue",
        own: &["queue"],
        source: Source::Script("queue.sh"),
        words: &[],
        wrong: &[
            ("reverses-priorities", "priority"),
            ("cuts-long-messages", "too-long"),
            ("makes-it-anew", "existing"),
            ("forgets-the-exit-code", "full"),
            ("unlinks-nothing", "unlink"),
        ],
    },
    Collection {
        assignment: "lambda-server",
        own: &[
            "lambda",
            "server",
            "--socket",
            "{socket}",
            "--output-dir",
            "{dir}",
        ],
        source: Source::C("lambda_server.c", &[]),
        words: &["{socket}", "{dir}"],
        wrong: &[
            ("sends-a-newline", "path"),
            ("knows-no-default", "default-function"),
            ("waits-for-a-newline", "message-ends"),
            ("ignores-the-exit-status", "not-a-function"),
            ("output-for-all", "files-of-their-own"),
            ("inherits-stdin", "stdin"),
            ("answers-good-ends-only", "crash"),
        ],
    },
];
