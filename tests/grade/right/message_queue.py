# A message queue in Python: a file in /dev/shm, and a lock on it that the kernel frees when its holder dies.

import argparse
import fcntl
import json
import os
import signal
import sys
import time

options = argparse.ArgumentParser()
options.add_argument("command")
options.add_argument("name")
options.add_argument("text", nargs="?")
options.add_argument("--max-messages", type=int, default=10)
options.add_argument("--message-size", type=int, default=8192)
options.add_argument("--priority", type=int, default=0)
options.add_argument("--count", type=int, default=1)
options.add_argument("--non-blocking", action="store_true")
options.add_argument("--timeout", type=float)
told = options.parse_args()
path = "/dev/shm/" + told.name.strip("/")


def fail(reason):
    print(reason, file=sys.stderr)
    sys.exit(1)


def change(by):
    """Calls by(queue) with the lock held; returns what it returns, and waits while that is None."""
    deadline = told.timeout and time.monotonic() + told.timeout
    while True:
        with open(path, "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            state = json.load(file)
            done = by(state)
            if done is not None:
                file.seek(0)
                file.write(json.dumps(state))
                file.truncate()
                return done
        if told.non_blocking:
            fail("EAGAIN: it would have to wait")
        if deadline and time.monotonic() > deadline:
            fail("ETIMEDOUT")
        time.sleep(0.01)


def put(text):
    def by(state):
        if len(text.encode()) > state["size"]:
            fail("EMSGSIZE: the message is too long")
        if len(state["messages"]) == state["max"]:
            return None
        state["messages"].append([-told.priority, state["next"], text])
        state["next"] += 1
        return True

    change(by)


def take(state):
    if not state["messages"]:
        return None
    first = min(state["messages"])
    state["messages"].remove(first)
    return first[2]


signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
try:
    if told.command == "create":
        state = {"max": told.max_messages, "size": told.message_size, "next": 0, "messages": []}
        # Under its name it is whole from the beginning: link(2) fails where there is one.
        part = f"{path}.{os.getpid()}"
        with open(part, "x") as file:
            json.dump(state, file)
        try:
            os.link(part, path)
        finally:
            os.unlink(part)
    elif told.command == "send":
        if not 0 <= told.priority <= 32767:
            fail("EINVAL: the priority is too high")
        if told.text == "-":
            for line in sys.stdin:
                put(line.removesuffix("\n"))
        else:
            put(told.text)
    elif told.command == "receive":
        for _ in range(told.count):
            print(change(take), flush=True)
    elif told.command == "unlink":
        os.unlink(path)
except OSError as error:
    fail(error)
