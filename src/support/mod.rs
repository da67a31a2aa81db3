//! Tools that no chapter teaches and every room uses: the log, lines of input, a mailbox, a line that is typed
//! and its terminal, progress, permits, errors in context, escaping, files that are removed by their maker, and
//! the identity of processes.

pub(crate) mod editor;
pub(crate) mod error;
pub(crate) mod escape;
pub(crate) mod identity;
pub(crate) mod lines;
pub(crate) mod log;
pub(crate) mod mailbox;
pub(crate) mod permits;
pub(crate) mod progress;
pub(crate) mod stdio;
pub(crate) mod svg;
pub(crate) mod terminal;
pub(crate) mod unlink_on_drop;
