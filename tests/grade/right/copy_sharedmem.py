# A sender and receivers in Python that copy a file through a ring in shared memory. Each word of the control
# block has one writer. A lock on a file that is named after the object says who is alive.

import fcntl
import mmap
import os
import signal
import struct
import sys
import time

SLOTS, SLOT = 16, 1 << 18
LIMIT = 5


class Shared:
    """The words: 0 the length plus 1, 1 how much was sent, 2.. for each receiver how much it has read, plus 1."""

    def __init__(self, name, receivers=None):
        self.path = f"/dev/shm/{name}"
        flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if receivers else 0)
        self.file = os.open(self.path, flags, 0o600)
        if receivers:
            fcntl.lockf(self.file, fcntl.LOCK_EX, 1, 0)
            os.ftruncate(self.file, 4096 + SLOTS * SLOT)
        self.memory = mmap.mmap(self.file, 4096 + SLOTS * SLOT)

    def get(self, at):
        return struct.unpack_from("=q", self.memory, 8 * at)[0]

    def put(self, at, value):
        struct.pack_into("=q", self.memory, 8 * at, value)

    def is_alive(self, byte):
        """Whether somebody else holds the lock on this byte: the sender's is 0."""
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            return True
        fcntl.lockf(self.file, fcntl.LOCK_UN, 1, byte)
        return False

    def slot(self, position):
        start = 4096 + position % (SLOTS * SLOT)
        return start, start + SLOT - position % SLOT


def options(words):
    return dict(zip(words[::2], words[1::2]))


def sender(file, *words):
    told = options(words)
    count = int(told["--receivers"])
    shared = Shared(told["--name"], count)
    try:
        with open(file, "rb") as source:
            shared.put(0, 1 + os.fstat(source.fileno()).st_size)
            slots = [2 + number for number in range(count)]
            while not all(shared.get(slot) for slot in slots):
                time.sleep(0.002)
            position = 0
            while True:
                low = lowest(shared, slots)
                if low is None:
                    break  # all were killed
                if position - low == SLOTS * SLOT:
                    time.sleep(0.001)
                    continue
                start, end = shared.slot(position)
                end = min(end, start + low + SLOTS * SLOT - position)
                came = source.read(end - start)
                if not came:
                    if low == position:
                        break
                    time.sleep(0.001)
                    continue
                shared.memory[start : start + len(came)] = came
                position += len(came)
                shared.put(1, position)
    finally:
        os.unlink(shared.path)


def lowest(shared, slots):
    alive = [slot for slot in slots if shared.is_alive(slot) or shared.get(slot) == shared.get(0)]
    return min((shared.get(slot) - 1 for slot in alive), default=None)


def receiver(*words):
    told = options(words)
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            shared = Shared(told["--name"])
            if shared.get(0):
                break
        except (OSError, ValueError):
            pass
        if time.monotonic() > deadline:
            sys.exit("there is no sender")
        time.sleep(0.002)
    slot = 2
    while shared.get(slot) or not take(shared, slot):
        slot += 1
    shared.put(slot, 1)
    target = os.path.join(told["--output"], "file")
    part = f"{target}.part"
    position, length = 0, shared.get(0) - 1
    try:
        with open(part, "xb") as file:
            while position < length:
                sent = shared.get(1)
                if position == sent:
                    if not shared.is_alive(0):
                        sys.exit("the sender has gone")
                    time.sleep(0.001)
                    continue
                start, end = shared.slot(position)
                end = min(end, start + sent - position)
                file.write(shared.memory[start:end])
                position += end - start
                shared.put(slot, 1 + position)
        os.rename(part, target)
    finally:
        if os.path.exists(part):
            os.unlink(part)
        if not shared.is_alive(0) and os.path.exists(shared.path):
            os.unlink(shared.path)


def take(shared, slot):
    try:
        fcntl.lockf(shared.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        return shared.get(slot) == 0
    except OSError:
        return False


signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
{"sender": sender, "receiver": receiver}[sys.argv[1]](*sys.argv[2:])
