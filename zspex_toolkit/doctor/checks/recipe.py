"""The recipe that ``--recipe`` names, before it starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from zspex_toolkit.doctor.finding import FAULT, OK, WARNING, Asked, Finding
from zspex_toolkit.registry import available

__all__ = ["check_recipe"]

_MOST_FILES = 200_000  # that are counted


def check_recipe(asked: Asked) -> Iterator[Finding]:
    """Whether its script starts, its settings are YAML, its corpus is found, and there is room for a copy of that."""
    if asked.recipe is None:
        return
    script = asked.recipe / "run.sh"
    if not script.is_file():
        yield Finding(FAULT, f"{script}: no such file", "name the folder of a recipe, such as egs/mini/tse1")
        return
    started = subprocess.run([script.resolve(), "--help"], capture_output=True, text=True, check=False)
    if started.returncode:
        told = (started.stderr.strip().splitlines() or ["no reason given"])[-1]
        yield Finding(FAULT, f"{script} --help: {told}", "is it executable, and its tree complete?")
        return
    yield from _settings(asked.recipe)
    text = re.sub(r"^\s*#.*$", "", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    facts = dict(re.findall(r"--(corpus|corpus_dir|expected_si_sdr)[ =]+\"?([^\s\"\\]+)", text))
    yield from _corpus(asked, facts)
    if "expected_si_sdr" in facts:
        yield Finding(
            OK, f"unprocessed test mixtures are known to score {facts['expected_si_sdr']} dB; stage 4 compares"
        )


def _settings(recipe: Path) -> Iterator[Finding]:
    files = sorted((recipe / "conf").rglob("*.yaml"))
    for path in files:
        try:
            is_settings = isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            yield Finding(FAULT, f"{path}: {' '.join(str(error).split())[:200]}", "mend the file")
            continue
        if not is_settings:
            yield Finding(FAULT, f"{path}: expected lines of name: value", "mend the file")
    yield Finding(OK, f"{recipe}: starts; {len(files)} files of settings")


def _corpus(asked: Asked, facts: dict[str, str]) -> Iterator[Finding]:
    corpus = facts.get("corpus", "")
    if "corpus_dir" in facts:
        yield Finding(OK, f"corpus {corpus}: the recipe makes it in {facts['corpus_dir']}")
        return
    if corpus not in available("corpora"):
        yield Finding(OK, f"{asked.recipe}: its data are given by options")
        return
    variable = corpus.upper()
    folder = asked.corpus_dir or (Path(os.environ[variable]) if os.environ.get(variable) else None)
    if folder is None:
        yield Finding(WARNING, f"corpus {corpus}: no folder given", f"--corpus_dir DIR, or export {variable}=DIR")
    elif not folder.is_dir():
        yield Finding(FAULT, f"corpus {corpus}: {folder} is no folder", f"--corpus_dir DIR, or export {variable}=DIR")
    else:
        yield _room(corpus, folder)


def _room(corpus: str, folder: Path) -> Finding:
    size = count = 0
    for root, _, names in os.walk(folder):
        count += len(names)
        if count > _MOST_FILES:
            return Finding(OK, f"corpus {corpus}: over {_MOST_FILES:,} files in {folder}")
        size += sum(os.lstat(os.path.join(root, name)).st_size for name in names)
    if not count:
        return Finding(FAULT, f"corpus {corpus}: {folder} is empty", "name the folder that the corpus was unpacked to")
    free = shutil.disk_usage(Path.cwd()).free
    what = f"corpus {corpus}: {count:,} files, {size / 1e9:.1f} GB in {folder}; {free / 1e9:.1f} GB free here"
    if free < 2 * size:
        return Finding(WARNING, what, "resampled copies and mixtures may need twice its size: --work_dir")
    return Finding(OK, what)
