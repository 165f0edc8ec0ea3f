"""Time and memory of every step on a made-up data directory of any size.

    python test/scale/measure.py --utterances 1000000 --speakers 10000 --out /tmp/scale

The audio, a second of noise each, lies in one archive of a hundred entries, over and over again: of the disk only the
looking up is measured. Every step is a process of its own; its peak memory and time (processor and clock) are printed
as a row of a table.
"""

from __future__ import annotations

import argparse
import gc
import io
import multiprocessing
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import soundfile

from zspex_toolkit.randomness import rng_for

FS, NUM_ENTRIES = 8000, 100
BIN = [sys.executable, "-m"]


def make(data: Path, num_utterances: int, num_speakers: int) -> None:
    """A data directory with ``utt2num_samples``, whose audio lies in ``shard.ark`` beside it."""
    data.mkdir(parents=True)
    archive = data.absolute() / "shard.ark"
    places = []
    with archive.open("wb") as stream:
        for number in range(NUM_ENTRIES):
            wav = io.BytesIO()
            soundfile.write(wav, 0.1 * rng_for(0, number).standard_normal(FS), FS, subtype="PCM_16", format="WAV")
            stream.write(f"entry{number} ".encode())
            places.append(f"{archive}:{stream.tell()}")
            stream.write(wav.getvalue())
    per_speaker = num_utterances // num_speakers
    with (
        (data / "utt2spk").open("w") as utt2spk,
        (data / "wav.scp").open("w") as wavs,
        (data / "utt2num_samples").open("w") as lengths,
        (data / "spk2utt").open("w") as spk2utt,
    ):
        for speaker in range(num_speakers):
            spk = f"speaker{speaker:06}"
            utterances = [f"{spk}-utterance{number:06}" for number in range(per_speaker)]
            spk2utt.write(f"{spk} {' '.join(utterances)}\n")
            for number, utt in enumerate(utterances):
                utt2spk.write(f"{utt} {spk}\n")
                wavs.write(f"{utt} {places[number % NUM_ENTRIES]}\n")
                lengths.write(f"{utt} {FS}\n")


def drawn_trials(data: Path):
    from zspex_toolkit.data.drawn_trials import DrawConfig, DrawnTrials

    return DrawnTrials(DrawConfig(source_data=data, segment_seconds=1.0, enrollment_seconds=(1.0,)), FS)


def start_up(data: Path) -> None:
    """What a training on mixtures drawn on the fly needs before its first step."""
    begin = time.monotonic()
    trials = drawn_trials(data)
    print(f"{len(trials)} items of {len(trials.speakers)} speakers in {time.monotonic() - begin:.2f} s", end="")


def restore(data: Path) -> None:
    """The order of an epoch, and the place of a training in it; nothing is read."""
    from zspex_toolkit.train.batches import plan_steps
    from zspex_toolkit.train.config import TrainConfig

    count = sum(1 for _ in (data / "utt2spk").open())
    took = []
    for batch_size in (4, 64):
        begin = time.monotonic()
        steps = plan_steps(count, TrainConfig(batch_size=batch_size), epoch=3)
        rest = steps[len(steps) // 2 :]
        took.append(f"{len(rest)} steps left of batches of {batch_size} in {time.monotonic() - begin:.2f} s")
    print("; ".join(took), end="")


def epoch(data: Path, num_workers: int = 2) -> None:
    """Two data processes draw every item of an epoch: who, which stretches, how loud. A hundredth is read as well."""
    trials = drawn_trials(data)
    gc.collect()
    with multiprocessing.get_context("fork").Pool(num_workers, _keep, (trials,)) as pool:
        found = pool.map(_draw, [range(worker, len(trials), num_workers) for worker in range(num_workers)])
    before, after, seconds = (max(column) for column in zip(*found, strict=True))
    print(f"{seconds:.1f} s; memory of each data process's own: {before} MB at first, {after} MB at last", end="")


def _keep(trials) -> None:
    global _trials
    _trials = trials


def _draw(indices: range) -> tuple[int, int, float]:
    before, begin = own_megabytes(), time.monotonic()
    for index in indices:
        _trials.draw(0, index)
    for index in indices[::100]:
        _trials.get(0, index)
    return before, own_megabytes(), time.monotonic() - begin


def own_megabytes() -> int:
    """Memory that this process shares with no other."""
    fields = Path("/proc/self/smaps_rollup").read_text()
    return sum(map(int, re.findall(r"^Private_(?:Clean|Dirty): +(\d+) kB", fields, re.MULTILINE))) >> 10


STEPS = {"start-up": start_up, "restore": restore, "epoch": epoch}


def measured(title: str, command: list) -> None:
    """Run the command and print a row."""
    begin = time.monotonic()
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read().strip().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{title} failed: {command}")
    cpu_s = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss >> 10
    print(f"| {title} | {cpu_s:.1f} s | {time.monotonic() - begin:.1f} s | {peak} MB | {said[-1] if said else ''} |")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--utterances", type=int, default=1_000_000)
    parser.add_argument("--speakers", type=int, default=10_000)
    parser.add_argument("--out", type=Path, required=True, help="folder to make the data directory in")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = options.out / f"data{options.utterances}"
    if options.step:
        return STEPS[options.step](data)
    if not data.exists():
        make(data, options.utterances, options.speakers)
    small = options.out / f"data{options.utterances // 100}"
    if not small.exists():
        make(small, options.utterances // 100, max(2, options.speakers // 100))
    print("| step | processor | clock | peak memory | |\n|---|---|---|---|---|")
    measured("import alone", [sys.executable, "-c", "import torch, zspex_toolkit.data.drawn_trials"])
    measured("validate", [*BIN, "zspex_toolkit.bin.validate_data_dir", "--data", data])
    measured("split into 32", [*BIN, "zspex_toolkit.bin.split_data_dir", "--data", data, "--nj", "32"])
    plan = [*BIN, "zspex_toolkit.bin.plan_trials", "--data", small, "--out", options.out / "trials"]
    measured("plan trials of a hundredth, with levels", plan)
    again = [sys.executable, __file__, "--out", options.out, "--utterances", options.utterances, "--step"]
    for name in STEPS:
        measured(name, [*again, name])


if __name__ == "__main__":
    main()
