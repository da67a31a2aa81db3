# A chat server in Python; with --two-way behind its path it also sends what is typed. It keeps 64 MiB for a
# client that does not read, and drops it after PATIENCE seconds.

import os
import queue
import re
import socket
import struct
import sys
import threading

import serving

PATIENCE = float(os.environ.get("PATIENCE", 3))
KEPT = 64 << 20
lock = threading.Lock()
names, outboxes = {}, {}


def say(stream, line):
    with lock:
        print(line, file=stream, flush=True)


def escape(text):
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def lines(read):
    rest, skips = b"", False
    while came := read(65536):
        rest += came
        while b"\n" in rest:
            line, rest = rest.split(b"\n", 1)
            if not skips and len(line) <= 4096:
                yield line.removesuffix(b"\r").decode(errors="replace")
            elif not skips:
                say(sys.stderr, "a line is too long")
            skips = False
        if len(rest) > 4097:
            if not skips:
                say(sys.stderr, "a line is too long")
            rest, skips = b"", True


class Outbox:
    def __init__(self, client):
        self.client, self.kept, self.lines = client, 0, queue.Queue()
        threading.Thread(target=self.run, daemon=True).start()

    def put(self, line):
        self.kept += len(line)
        if self.kept > KEPT:
            serving.farewell(self.client)
        else:
            self.lines.put(line)

    def run(self):
        while line := self.lines.get():
            try:
                self.client.sendall(line)
            except OSError:
                serving.farewell(self.client)
                return
            self.kept -= len(line)


def serve_one(client, number):
    limit = struct.pack("ll", int(PATIENCE), int(PATIENCE % 1 * 1e6))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    names[number], outboxes[number] = "anonymous", Outbox(client)
    first = True
    try:
        for line in lines(client.recv):
            hello = first and re.fullmatch(r"HELLO (\S{1,32}) (\d+)", line)
            first = False
            if hello and hello[1].isprintable():
                names[number] = hello[1]
                say(sys.stderr, f"{hello[1]}#{number} joins, pid {hello[2]}")
            else:
                say(sys.stdout, f"{names[number]}#{number}: {escape(line)}")
    finally:
        say(sys.stderr, f"{names.pop(number)}#{number} leaves")
        outboxes.pop(number).put(b"")


def typed():
    for line in lines(lambda size: os.read(0, size)):
        who = list(outboxes)
        address = re.match(r"@(\S+) ", line)
        if address:
            who = [n for n in who if address[1] in (f"#{n}", names.get(n))]
            line = line[address.end() :]
            if not who:
                say(sys.stderr, f"nobody is called {address[1]}")
        for number in who:
            if number in outboxes:
                outboxes[number].put(line.encode() + b"\n")


if sys.argv[2:] == ["--two-way"]:
    threading.Thread(target=typed, daemon=True).start()
serving.serve(sys.argv[1], serve_one)
