//! The stages of the chat, peers that misbehave or read too little, and a person at a terminal.

#[path = "../common/mod.rs"]
mod common;

mod faults;
mod readers;
mod stages;
mod terminal;
