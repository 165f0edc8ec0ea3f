"""What the fixture ``killed_at_renaming`` runs in a process of its own."""

import os
import signal
import sys


def run(number: int, program: str, arguments: list[str], said: str) -> None:
    """Run the program, and die by SIGKILL at its n-th ``os.replace``; 0: at none. What it says goes to a file."""
    replace = os.replace

    def counted(*paths):
        nonlocal number
        number -= 1
        if not number:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(*paths)

    os.replace = counted
    sys.argv = ["program", *arguments]
    with open(said, "w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    exec(program, {"__name__": "__main__", "sys": sys})
