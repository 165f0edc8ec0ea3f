"""Write the extraction trials of a corpus that brings its own lists (libri2mix, wsj0_2mix), and render their mixtures.

    python -m zspex_toolkit.bin.prepare_trials --corpus libri2mix --corpus_dir DIR --out data --dump dump/libri2mix
    ... --fs 16000 --options '{mode: max, condition: noisy, wham_dir: /corpora/wham_noise}'

A killed run goes on where it was: each file is checked. Options of one corpus are the arguments of ``prepare_trials``
in zspex_toolkit/corpora/<corpus>.py.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora.support.prepare import TrialsConfig as Config
from zspex_toolkit.corpora.support.prepare import prepare_trials


def main(argv: list[str] | None = None) -> None:
    prepare_trials(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
