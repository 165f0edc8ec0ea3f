"""The end of a process."""

import atexit
import os
import sys
from typing import NoReturn


def leave(status: int) -> NoReturn:
    """End this process with an exit status.

    One of several that torchrun started goes without taking the interpreter apart: threads of torch's process groups
    may still be alive then, which now and then aborts a training whose work is done and saved (torch 2.13, gloo).
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
