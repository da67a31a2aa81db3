# The client of a sum server in Python.

import os
import re
import select
import signal
import socket
import struct
import sys


def fail(reason):
    print(reason, file=sys.stderr)
    sys.exit(1)


signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
server = socket.socket(socket.AF_UNIX)
try:
    server.connect(sys.argv[1])
except OSError as error:
    fail(error)

answer, typed, done = b"", b"", False
while True:
    waiting = [server] if done else [server, 0]
    ready, _, _ = select.select(waiting, [], [])
    if server in ready:
        try:
            came = server.recv(128 - len(answer))
        except OSError:
            came = b""
        answer += came
        if not came:
            fail("the server has gone")
        if len(answer) == 128:
            text = answer.rstrip(b"\0").decode()
            if not text.startswith("Result = "):
                fail(text)
            print(text)
            sys.exit(0)
    if 0 in ready:
        came = os.read(0, 4096)
        if not came:
            sys.exit(0)
        typed += came
        *lines, typed = typed.split(b"\n")
        for line in lines:
            number = int(line) if re.fullmatch(rb"\s*[+-]?\d+\s*", line) else None
            if number is None or not -(2**31) <= number < 2**31:
                print("ignored:", line.decode(errors="replace"), file=sys.stderr)
                continue
            try:
                server.sendall(struct.pack("=i", number))
            except OSError:
                fail("the server has gone")
            if number == 0:
                done = True
                break
