"""Waiting for what happens, however slow the machine is."""

import os
import threading
import time

from zspex_toolkit.launch import queue

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


def act_while_waiting(monkeypatch, *acts):
    """Each time that the command which watches a queue waits, one of these happens."""
    left = iter(acts)

    def sleep(seconds, sleep=time.sleep):
        next(left, lambda: None)()
        sleep(seconds)

    monkeypatch.setattr(queue.time, "sleep", sleep)
