//! The grader: what it says of right and of wrong submissions, of programs that do not behave, and in
//! what forms. One test binary, for its tests wait for most of their time: so they wait at the same time.

#[path = "../common/mod.rs"]
mod common;

mod assignments;
mod causes;
mod cheats;
mod conduct;
mod fair;
mod formats;
mod grading;
mod ladder;
mod skeletons;
mod steady;
mod submissions;
