"""docs/cluster.md from top to bottom: its commands as they are printed, on a real Slurm and a real Grid Engine.

Only the recipe is made smaller: a smaller corpus and networks, one epoch, and its first training as the last stage.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
SMALLER = (
    " --corpus_options '{num_speakers: 4, num_utterances: 4}' --train_args '--train.num_epochs 1' --stop_stage 3"
    " --embedder_args '--network_options.channels=16 --network_options.pooled_channels=16'"
)

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(1200)]


def blocks(page):
    """The blocks of commands under numbered headings, in order."""
    steps = "".join(re.findall(r"^## \d\..*?(?=^## )", page, re.DOTALL | re.MULTILINE))
    return re.findall(r"^```(?:bash|sh)\n(.*?)^```", steps, re.DOTALL | re.MULTILINE)


def smaller(block):
    return re.sub(r"^(egs/\S+/run\.sh.*)$", lambda line: line[1] + SMALLER, block, flags=re.MULTILINE)


@pytest.fixture
def shell(require, tmp_path):
    """A function that runs lines in the toolkit's folder, and returns what they say."""
    require("slurm")
    require("sge")
    for name in ("egs", "tools", "zspex_toolkit"):
        Path(name).symlink_to(ROOT / name)
    folders = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(lines):
        done = subprocess.run(
            ["bash", "-e", "-c", lines], env={**os.environ, "PATH": folders}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return run


def test_every_command_of_the_page_runs_as_printed(shell):
    steps = blocks(PAGE)
    assert sum(block.count("run.sh") for block in steps) == 4
    said = shell("\n".join(map(smaller, steps)))
    for line in (
        r"^sbatch --export=ALL --mem 500M .* --array 1-3 \S+/try/q/hello\.sh$",  # before there is a file of the site's
        r"^qsub -V -cwd -S /bin/bash -j y -l mem_free=500M .* -t 1-3 \S+/try/q/hello\.sh$",
        r"^sbatch --export=PATH --mem 500M .* --array 1-3 \S+/try/q/hello\.sh$",  # and with it
        r"^# Running on .*\n# Started at .*\n# hostname\n\S+\n# Accounting: .*\n# Finished at .* with status 0$",
    ):
        assert re.search(line, said, re.MULTILINE), line
    assert said.count("Successfully finished.") == 4
    assert said.count("Stage 2: Features: done before, skipped") == 3
    assert (
        "2 processes: batch_size counts for all together" in Path("try/exp/demix_nodes/embedder/train.log").read_text()
    )
