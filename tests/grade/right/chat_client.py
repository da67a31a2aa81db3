# The client of a two-way chat server in Python.

import os
import select
import signal
import socket
import sys


def fail(reason):
    print(reason, file=sys.stderr)
    sys.exit(1)


def escape(line):
    text = line.decode(errors="replace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
server = socket.socket(socket.AF_UNIX)
try:
    server.connect(sys.argv[1])
    server.sendall(f"HELLO {sys.argv[2]} {os.getpid()}\n".encode())
except OSError as error:
    fail(error)

typed, shown = b"", b""
while True:
    ready, _, _ = select.select([server, 0], [], [])
    try:
        if server in ready:
            came = server.recv(4096)
            if not came:
                fail("the server has gone")
            *lines, shown = (shown + came).split(b"\n")
            for line in lines:
                print(f"server: {escape(line)}", flush=True)
        if 0 in ready:
            came = os.read(0, 4096)
            *lines, typed = (typed + came).split(b"\n")
            for line in lines:
                server.sendall(line + b"\n")
            if not came:
                if typed:
                    server.sendall(typed + b"\n")
                sys.exit(0)
    except OSError:
        fail("the server has gone")
