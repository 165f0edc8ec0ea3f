"""The console script: ``zspex COMMAND --option value ...``; a command is a file of this folder.

zspex demix --model exp/demix_e2_snr0_subtract --mixture mix.wav --known speaker_a.wav --output e.npy
"""

from __future__ import annotations

import sys

import zspex_toolkit
from zspex_toolkit.config import run
from zspex_toolkit.registry import available, load_module


def main() -> None:
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip(), "\nCommands (each has --help):", *available("bin"), sep="\n  ")
        return
    if arguments[0] == "--version":
        print(zspex_toolkit.__version__)
        return
    command = load_module("bin", arguments[0])
    sys.argv = arguments  # messages then begin with the command's name
    run(lambda: command.main(arguments[1:]))


def console() -> None:
    run(main)


if __name__ == "__main__":
    console()
