"""Write the data directories of a corpus.

    python -m zspex_toolkit.bin.prepare_data --corpus timit --corpus_dir /corpora/TIMIT --out data
    python -m zspex_toolkit.bin.prepare_data --corpus mini --corpus_dir downloads/mini --options '{num_speakers: 8}'

Options of one corpus are the arguments of ``prepare`` in zspex_toolkit/corpora/<corpus>.py.
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.corpora.support.prepare import PrepareConfig as Config
from zspex_toolkit.corpora.support.prepare import prepare_corpus


def main(argv: list[str] | None = None) -> None:
    prepare_corpus(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
