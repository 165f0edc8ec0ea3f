"""List the models that come with the toolkit: each name can be given as --model to zspex extract, enroll and others.

zspex models
zspex models --name zspex-8k-v1
"""

from __future__ import annotations

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.extract.shipped_models import Config, list_models


def main(argv: list[str] | None = None) -> None:
    list_models(parse_args(Config, argv, __doc__))


if __name__ == "__main__":
    run(main)
