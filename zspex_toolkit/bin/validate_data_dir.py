"""Find every fault of a Kaldi data directory, each with file and line; status 1 if there is one.

python -m zspex_toolkit.bin.validate_data_dir --data data/train --check_audio true --nj 4
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from zspex_toolkit.config import parse_args, run
from zspex_toolkit.io.validate import check_data_dir


@dataclass(frozen=True)
class Config:
    data: Path  # data directory
    check_audio: bool = False  # open all audio: broken files, rates, silence, lengths, mixtures, enrollment
    require: tuple[str, ...] = (
        "wav.scp",
    )  # files that must be there, e.g. wav.scp,text,feats.scp; others are optional
    no_spk_sort: bool = False  # do not ask that utt2spk be sorted by speaker too
    other: Path | None = None  # directory that must share no speaker with this one
    fs: int | None = None  # sampling rate in Hz that all audio must have
    nj: int = 1  # number of processes that open audio


def main(argv=None) -> int:
    config = parse_args(Config, argv)
    options = {**vars(config)}
    findings = check_data_dir(options.pop("data"), **options)
    for warning in findings.warnings:
        print(f"validate_data_dir: warning: {warning}", file=sys.stderr)
    for fault in findings.faults:
        print(f"validate_data_dir: {fault}", file=sys.stderr)
    if findings.faults:
        print(f"validate_data_dir: {config.data} is not valid", file=sys.stderr)
        return 1
    counts = f"{findings.num_utterances} utterances, {findings.num_speakers} speakers"
    print(f"validate_data_dir: {config.data} is valid: {counts}")
    return 0


if __name__ == "__main__":
    run(main)
