//! Both copies: whatever the file is, and whoever is killed, stopped or late.

mod bytes;
mod faults_ring;
mod faults_socket;
mod files;
mod names_ring;
mod one_slot;
mod plain;
mod space;
