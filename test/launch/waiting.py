"""Waiting for what happens, however slow the machine is."""

import os
import threading
import time

LONGEST_S = 600


def wait_for(happened, says=lambda: ""):
    """Until it has happened; fails with what ``says`` tells."""
    deadline = time.monotonic() + LONGEST_S
    while not happened():
        assert time.monotonic() < deadline, says()
        time.sleep(0.02)


def signal_when(*steps):
    """Send this process each step's signal as soon as it has happened: pairs (happened, signal), one after another."""

    def watch():
        for happened, number in steps:
            wait_for(happened)
            os.kill(os.getpid(), number)

    threading.Thread(target=watch, daemon=True).start()
