#!/bin/sh
# Gradescope runs this once, when it builds the image. The sources of this crate are in the zip file, too.
set -eu
apt-get update
apt-get install -y curl gcc libc6-dev
# Not the distribution's cargo: it is mostly older than this crate needs (rust-version in Cargo.toml).
curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
. "$HOME/.cargo/env"
cargo install --locked --path "${AUTOGRADER:-/autograder}/source" --root /usr/local
