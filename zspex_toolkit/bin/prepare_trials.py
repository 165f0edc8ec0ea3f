"""Write the extraction trials of a corpus that brings its own lists (libri2mix, wsj0_2mix), and render their mixtures.

    python -m zspex_toolkit.bin.prepare_trials --corpus libri2mix --corpus_dir DIR --out data --dump dump/libri2mix
    ... --fs 16000 --options '{mode: max, condition: noisy, wham_dir: /corpora/wham_noise}'

A killed run goes on where it was: each file is checked. Options of one corpus are the arguments of ``prepare_trials``
in zspex_toolkit/corpora/<corpus>.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora._prepare import prepare_trials


@dataclass(frozen=True)
class Config:
    corpus: str  # libri2mix, wsj0_2mix: a file in zspex_toolkit/corpora
    corpus_dir: Path | None = None  # root of the corpus; unset: the variable of its name (LIBRI2MIX, ...)
    out: Path = Path("data")  # the data directories trials_<set> appear here
    dump: Path = Path("dump")  # the audio of mixtures, sources and enrollments
    fs: int = 8000  # rate of the mixtures, in Hz
    nj: int = 1  # number of processes
    options: dict[str, str | bool | int | float] = field(default_factory=dict)  # of this corpus: '{name: value, ...}'


def main(argv=None) -> None:
    prepare_trials(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
