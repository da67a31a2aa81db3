#!/bin/sh
# Gradescope runs this once, when it builds the image. The sources of this crate are in the zip file, too.
set -eu
apt-get update
apt-get install -y cargo gcc
cargo install --locked --path "${AUTOGRADER:-/autograder}/source" --root /usr/local
