# A sum server in Python, for many clients at once.

import struct
import sys

import serving


def frame(text):
    return text.encode().ljust(128, b"\0")


def serve_one(client, number):
    total, rest = 0, b""
    while True:
        came = client.recv(4096)
        if not came:
            return
        rest += came
        while len(rest) >= 4:
            (integer,) = struct.unpack("=i", rest[:4])
            rest = rest[4:]
            if integer == 0:
                client.sendall(frame(f"Result = {total}"))
                return
            total += integer


serving.goodbye = frame("Goodbye: the server is shutting down")
serving.serve(sys.argv[1], serve_one)
