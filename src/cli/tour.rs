//! `ipc tour`.
use super::{Outcome, words::Words};
pub(super) fn run(_: &mut Words) -> Outcome {
    Ok(())
}
