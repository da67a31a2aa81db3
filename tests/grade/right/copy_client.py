# A client in Python that receives a file, and leaves a whole one or none.

import os
import re
import signal
import socket
import sys


def end(*_):
    sys.exit(0)


def fail(reason):
    print(reason, file=sys.stderr)
    sys.exit(1)


signal.signal(signal.SIGINT, end)
server = socket.socket(socket.AF_UNIX)
try:
    server.connect(sys.argv[1])
except OSError as error:
    fail(error)

stream = server.makefile("rb")
header = re.fullmatch(rb"FILE (\d+) (.+)\n", stream.readline(5000))
if not header:
    fail("that is no header")
left, name = int(header[1]), os.path.basename(header[2].decode(errors="surrogateescape"))
if name in ("", ".", ".."):
    fail("that is no name")
target = os.path.join(sys.argv[2], name)
part = os.path.join(sys.argv[2], f".part-{os.getpid()}")
try:
    with open(part, "xb") as file:
        while left:
            came = stream.read1(min(left, 65536))
            if not came:
                fail("the server went before the last byte")
            file.write(came)
            left -= len(came)
    os.link(part, target)
except OSError as error:
    fail(error)
finally:
    if os.path.exists(part):
        os.unlink(part)
