//! The sum server and its client under all that users and peers do to them.

mod client;
mod faults;
mod plain;
