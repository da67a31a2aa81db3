//! Chat with peers that misbehave, that read too little, and with a person at a terminal.

#[path = "../common/mod.rs"]
mod common;

mod faults;
mod readers;
mod terminal;
