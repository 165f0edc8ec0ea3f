"""Whether two work folders of a recipe hold the same, byte for byte but for what tells of clocks, memory and places."""

import json
from pathlib import Path

# What is said on the way, and what holds the times of the day: logs, scripts of the queue, marks of stages, events.
SPOKEN = {"log", "q", "jobs", "stages", "tensorboard", "train.log", "done", "RESULTS.md", "page.html"}
# Marks of what files were made from, times of the recordings among it.
SPOKEN |= {"rendered.json", "enrollments.json", "resampled.json", "voices.json", "packed.json", "made_from.json"}
MEASURED = {"seconds", "data_share", "compute_s", "real_time_factor", "peak_memory_mib", "date", "command"}
MEASURED |= {"commit", "scored_commit", "trained_commit"}  # of the toolkit, which others may change
MEASURED |= {"num_processes"}  # that extracted: what they took is measured, what they wrote is compared


def contents(work):
    """Of every file below the folder, by its name there, what must be equal."""
    found = {}
    for path in sorted(Path(work).rglob("*")):
        name = path.relative_to(work)
        if path.is_file() and not SPOKEN.intersection(name.parts) and name.parts[0] != "downloads":
            found[str(name)] = _content(path.read_bytes().replace(str(work).encode(), b"WORK"), path.suffix)
    return found


def _content(content, suffix):
    if suffix == ".json":
        return _without_measured(json.loads(content))
    if suffix == ".jsonl":
        return [_without_measured(json.loads(line)) for line in content.splitlines()]
    return content


def _without_measured(value):
    if isinstance(value, dict):
        return {key: _without_measured(inner) for key, inner in value.items() if key not in MEASURED}
    return [_without_measured(inner) for inner in value] if isinstance(value, list) else value


def assert_same_files(work, other):
    """Fails with the names of the files that one lacks or that differ."""
    one, two = contents(work), contents(other)
    alone = sorted(one.keys() ^ two.keys())
    assert not alone, alone
    differing = [name for name in one if one[name] != two[name]]
    assert not differing, differing
