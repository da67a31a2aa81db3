//! The lambda server: what clients send, what functions do, and how many there are of both.

mod faults;
mod input;
mod load;
mod space;
mod speed;
mod stages;
