# What the servers here share: a socket, a thread for each client, and a clean end.

import os
import signal
import socket
import stat
import sys
import threading

ended_by = None


def serve(path, serve_one, at_end=lambda: None):
    """Calls serve_one(client, number) on a thread for each client, until a signal comes."""
    if os.path.lexists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
        os.unlink(path)
    clients, lock = set(), threading.Lock()
    listener = socket.socket(socket.AF_UNIX)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: None)
    listener.bind(path)
    listener.listen(1000)

    def accept():
        number = 0
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            number += 1
            with lock:
                clients.add(client)
            threading.Thread(target=run, args=(client, number), daemon=True).start()

    def run(client, number):
        try:
            serve_one(client, number)
        except OSError:
            pass  # only this client has gone
        finally:
            with lock:
                clients.discard(client)
            client.close()

    threading.Thread(target=accept, daemon=True).start()
    os.read(reader, 1)
    os.unlink(path)
    at_end()
    with lock:
        for client in clients:
            farewell(client)
    sys.stdout.flush()
    os._exit(0)


goodbye = b""


def farewell(client):
    try:
        client.settimeout(0)
        client.sendall(goodbye)
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
