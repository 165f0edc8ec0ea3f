"""How a process ends: alone, and as one of several."""

import os
import signal
import subprocess
import sys

LEAVING = """
import atexit, os, sys
from zspex_toolkit.config import run
class AbortsAtTheEnd:
    abort = os.abort
    def __del__(self):
        self.abort()
def main():
    atexit.register(print, "closed")
    sys.kept = AbortsAtTheEnd()
    if len(sys.argv) > 1:
        raise SystemExit(75)
    print("done")
run(main)
"""


def test_of_several_processes_each_ends_with_its_status_whatever_the_interpreter_would_still_destroy():
    def call(*arguments, **variables):
        command = [sys.executable, "-c", LEAVING, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **variables})
        return done.returncode, done.stdout

    assert call(WORLD_SIZE="2") == (0, "done\nclosed\n")
    assert call("stop", WORLD_SIZE="2") == (75, "closed\n")
    assert call()[0] == -signal.SIGABRT
