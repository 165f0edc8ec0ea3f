"""Time and memory of every step on a made-up data directory of any size.

    python test/scale/measure.py --utterances 1000000 --speakers 10000 --out /tmp/scale

Audio and features, a second of noise each, lie in archives of a hundred entries, over and over again: of the disk only
the looking up is measured. The epochs run with a hundredth of the data, too: what a data process holds by itself should
not differ. Plans, which read all audio, are made of a tenth. Every step is a process of its own; its peak memory and
time (processor and clock) are printed as a row of a table; seconds in the last column are processor time.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from made_up_data import make, own_kilobytes

BIN = [sys.executable, "-m"]


def start_up(data: Path) -> None:
    """What a training on mixtures drawn on the fly needs before its first step."""
    from training_sets import drawn_trials

    begin = time.process_time()
    trials = drawn_trials(data, seconds=1.0)
    print(f"{len(trials)} items of {len(trials.speakers)} speakers in {time.process_time() - begin:.2f} s", end="")


def restore(data: Path) -> None:
    """The order of an epoch, and the place of a training in it; nothing is read."""
    from zspex_toolkit.train.batches import plan_steps
    from zspex_toolkit.train.config import TrainConfig

    count = sum(1 for _ in (data / "utt2spk").open())
    took = []
    for batch_size in (4, 64):
        begin = time.process_time()
        steps = plan_steps(count, TrainConfig(batch_size=batch_size), epoch=3)
        rest = steps[len(steps) // 2 :]
        took.append(f"{len(rest)} steps left of batches of {batch_size} in {time.process_time() - begin:.2f} s")
    print("; ".join(took), end="")


def epoch(data: Path, kind: str, num_workers: int = 2) -> None:
    """Two data processes draw every item of an epoch: who, which stretches, how loud. A hundredth is read as well."""
    import training_sets

    items = getattr(training_sets, KINDS[kind])(data)
    gc.collect()
    with multiprocessing.get_context("fork").Pool(num_workers, _keep, (items,)) as pool:
        found = pool.map(_draw, [range(worker, len(items), num_workers) for worker in range(num_workers)])
    before, after, seconds = (max(column) for column in zip(*found, strict=True))
    print(f"{seconds:.0f} s; of each process's own {before:.1f} MB at first, {after:.1f} MB at last", end="")


KINDS = {"trials": "drawn_trials", "mixtures": "drawn_mixtures", "features": "speaker_segments"}


def _keep(items) -> None:
    global _items
    _items = items


def _draw(indices: range) -> tuple[float, float, float]:
    import torch
    from training_sets import draw_alone

    torch.set_num_threads(1)
    for index in indices[:200]:  # once through all code
        _items.get(0, index)
    gc.collect()
    before, begin = own_kilobytes() / 1024, time.process_time()
    for index in indices:
        draw_alone(_items, index)
    for index in indices[::100]:
        _items.get(0, index)
    gc.collect()
    return before, own_kilobytes() / 1024, time.process_time() - begin


STEPS = {"start-up": start_up, "restore": restore, **{f"epoch-{kind}": partial(epoch, kind=kind) for kind in KINDS}}


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
    few, part = options.utterances // 100, options.utterances // 10
    for count in (few, part):
        if not (options.out / f"data{count}").exists():
            make(options.out / f"data{count}", count, max(2, options.speakers * count // options.utterances))
    print("| step | processor | clock | peak memory | |\n|---|---|---|---|---|")
    measured("import alone", [sys.executable, "-c", "import torch, zspex_toolkit.data.drawn_trials"])
    measured("validate", [*BIN, "zspex_toolkit.bin.validate_data_dir", "--data", data])
    shutil.rmtree(data / "split32", ignore_errors=True)  # which would not be made again
    measured("split into 32", [*BIN, "zspex_toolkit.bin.split_data_dir", "--data", data, "--nj", "32"])
    for name in ("trials", "mixtures"):
        paths = ["--data", options.out / f"data{part}", "--out", options.out / name]
        measured(f"plan {name} of {part:,}", [*BIN, f"zspex_toolkit.bin.plan_{name}", *paths, "--nj", "2"])
    for count in (options.utterances, few):
        again = [sys.executable, __file__, "--out", options.out, "--utterances", count, "--step"]
        for name in STEPS if count == options.utterances else [name for name in STEPS if name.startswith("epoch")]:
            measured(f"{name} of {count:,}", [*again, name])


if __name__ == "__main__":
    main()
