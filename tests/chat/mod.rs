//! The stages of the chat, peers that misbehave or read too little, and a person at a terminal.

mod faults;
mod readers;
mod stages;
mod terminal;
