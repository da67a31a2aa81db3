# A server in Python that runs functions on request.

import os
import signal
import subprocess
import sys
import tempfile
import threading

import serving

directory = os.path.abspath(sys.argv[2])
running, lock = set(), threading.Lock()


def serve_one(client, number):
    message = client.recv(1025).split(b"\n")[0].decode(errors="replace")
    fields = message.split()
    descriptor, path = tempfile.mkstemp(dir=directory)
    if not (0 < len(fields) <= 3 and len(message) <= 1024 and run(fields, descriptor)):
        os.truncate(path, 0)
        os.pwrite(descriptor, f"Error: {message} could not be executed.\n".encode(), 0)
    os.close(descriptor)
    client.sendall(path.encode())


def run(fields, descriptor):
    words = fields if len(fields) > 1 else fields + ["run"]
    try:
        with lock:
            child = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=descriptor, start_new_session=True
            )
            running.add(child)
    except OSError:
        return False
    code = child.wait()
    with lock:
        running.discard(child)
    return code != 127


def kill_all():
    with lock:
        for child in running:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except OSError:
                pass


serving.serve(sys.argv[1], serve_one, kill_all)
