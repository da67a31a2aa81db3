# A program that handles, ignores and leaves alone, as one writes it in Python.

import signal
import sys


def end(number, frame):
    print("a signal came")
    sys.exit(0)


for handled in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(handled, end)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
print("waiting", flush=True)
while True:
    signal.pause()
