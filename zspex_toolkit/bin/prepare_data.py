"""Write the data directories of a corpus.

    python -m zspex_toolkit.bin.prepare_data --corpus timit --corpus_dir /corpora/TIMIT --out data
    python -m zspex_toolkit.bin.prepare_data --corpus mini --corpus_dir downloads/mini --options '{num_speakers: 8}'

Options of one corpus are the arguments of ``prepare`` in zspex_toolkit/corpora/<corpus>.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora._prepare import prepare_corpus


@dataclass(frozen=True)
class Config:
    corpus: (
        str  # mini, speechocean762, timit, mc_wsj_av, voxceleb, libri2mix, wsj0_2mix: a file in zspex_toolkit/corpora
    )
    corpus_dir: Path | None = None  # root of the corpus; unset: the variable of its name (TIMIT, ...)
    out: Path = Path("data")  # the data directories appear here, dropped.txt beside them
    fs: int = 16000  # rate that every recording must have, in Hz
    options: dict[str, str | bool | int | float] = field(default_factory=dict)  # of this corpus: '{name: value, ...}'


def main(argv=None) -> None:
    prepare_corpus(**vars(parse_args(Config, argv)))


if __name__ == "__main__":
    run(main)
