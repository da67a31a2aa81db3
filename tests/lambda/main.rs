//! The lambda server: what clients send, what functions do, and how many there are of both.

#[path = "../common/mod.rs"]
mod common;

mod faults;
mod input;
mod load;
mod space;
mod speed;
mod stages;
