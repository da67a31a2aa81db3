# A server in Python that sends a file to every client.

import os
import sys

import serving

file = sys.argv[1]


def serve_one(client, number):
    with open(file, "rb") as source:
        length = os.fstat(source.fileno()).st_size
        client.sendall(f"FILE {length} {os.path.basename(file)}\n".encode())
        client.sendfile(source)


serving.serve(sys.argv[2], serve_one)
