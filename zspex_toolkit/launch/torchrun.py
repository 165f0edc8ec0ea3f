"""torchrun that ends with one line where torch's own ends with a traceback, under which the reason is lost.

python -m zspex_toolkit.launch.torchrun --standalone --nproc_per_node 2 -m zspex_toolkit.bin.train_extractor ...
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM, Signals

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main as torchrun


def main(argv: list[str]) -> int:
    """Run torchrun; takes its arguments and returns the exit status, 1 if a process failed or a signal came."""
    try:
        torchrun(argv)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        process, how = f"process {rank} (pid {failure.pid})", f"ended with status {failure.exitcode}"
        if failure.exitcode < 0:
            how = f"was killed by {Signals(-failure.exitcode).name}"
        print(f"torchrun: {process} {how}; what is said first above tells why", file=sys.stderr)
        return 1
    except SignalException as stopped:
        _end_children()
        print(f"torchrun: stopped by {stopped.sigval.name}", file=sys.stderr)
        return 1
    return 0


def _end_children() -> None:
    """End what is left: of a signal that comes while it starts its processes, torchrun does not tell those it has."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            for process in listed.read_text().split():
                os.kill(int(process), SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
