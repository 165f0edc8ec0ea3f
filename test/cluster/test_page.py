"""docs/cluster.md from top to bottom: its commands as they are printed, on a real Slurm and a real Grid Engine.

What is shortened: the recipe has a smaller corpus, smaller networks and one epoch, and but for the run on the laptop,
which has all stages, ends with its first training. The measurement is of 2,000 utterances of 40 speakers. The commands
that start clusters are run again where root started these clusters with them, else left out.
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
    " --corpus_options '{num_speakers: 4, num_utterances: 4}' --train_args '--train.num_epochs 1'"
    " --embedder_args '--network_options.channels=16 --network_options.pooled_channels=16'"
)

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(3000)]


def blocks(page):
    """The blocks of commands under numbered headings, in order."""
    steps = "".join(re.findall(r"^## \d\..*?(?=^## )", page, re.DOTALL | re.MULTILINE))
    return re.findall(r"^```(?:bash|sh)\n(.*?)^```", steps, re.DOTALL | re.MULTILINE)


def smaller(line):
    """The line, with a smaller recipe if it calls one."""
    if "/run.sh " not in line:
        return line
    return line + SMALLER + ("" if "--exp_tag laptop" in line else " --stop_stage 3")


def ran_here(line, scripts):
    """Whether the line is run: all are but those that start clusters which others than ``scripts`` have started."""
    return not line.startswith("tools/installers/") or Path(line).name in scripts


def sge_is_of_the_installer():
    lines = f". {ROOT}/tools/installers/_sge.sh && marked"
    return os.geteuid() == 0 and subprocess.run(["bash", "-c", lines], check=False).returncode == 0


@pytest.fixture
def shell(require):
    """A function that runs lines in the toolkit's folder, and returns what they say."""
    require("slurm")
    require("sge")
    for name in ("egs", "tools", "zspex_toolkit"):
        Path(name).symlink_to(ROOT / name)
    folders = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def run(lines):
        command, environment = ["bash", "-e", "-c", lines], {**os.environ, "PATH": folders}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{lines}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    return run


def test_every_command_of_the_page_runs_as_printed(shell, installed, monkeypatch):
    steps = "".join(blocks(PAGE)).splitlines()
    assert sum("/run.sh " in line for line in steps) == 4
    assert [line for line in steps if "installers" in line] == [f"tools/installers/{x}_up.sh" for x in ("slurm", "sge")]
    for name, value in (installed or {}).items():
        monkeypatch.setenv(name, value)
    scripts = {"slurm_up.sh": installed, "sge_up.sh": sge_is_of_the_installer()}
    scripts = [name for name, ours in scripts.items() if ours]
    said = shell("\n".join(smaller(line) for line in steps if ran_here(line, scripts)))
    for line in (
        *([r"^debug\* +up +infinite +2 "] if installed else []),
        r"^sbatch --export=ALL --mem 500M .* --array 1-3 \S+/try/q/hello\.sh$",  # before there is a file of the site's
        r"^qsub -V -cwd -S /bin/bash -j y -l mem_free=500M .* -t 1-3 \S+/try/q/hello\.sh$",
        r"^sbatch --export=PATH --mem 500M .* --array 1-3 \S+/try/q/hello\.sh$",  # and with it
        r"^# Running on .*\n# Started at .*\n# hostname\n\S+\n# Accounting: .*\n# Finished at .* with status 0$",
    ):
        assert re.search(line, said, re.MULTILINE), line
    assert said.count("Successfully finished.") == 4
    assert said.count("Stage 2: Features: done before, skipped") == 3
    assert Path("try/exp/demix_laptop/RESULTS.md").stat().st_size
    log = Path("try/exp/demix_nodes/embedder/train.log").read_text()
    assert "2 processes: batch_size counts for all together" in log


def test_the_measurement_of_the_page_runs_on_2000_utterances(tmp_path):
    (command,) = re.findall(r"`python (test/scale/measure\.py .*)`", PAGE)
    command = command.replace("1000000", "2000").replace("10000", "40").replace("FOLDER", str(tmp_path / "scale"))
    done = subprocess.run([sys.executable, *command.split()], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = re.findall(r"^\| (.+?) \| [0-9.]+ s \| [0-9.]+ s \| \d+ MB \|", done.stdout, re.MULTILINE)
    assert [step.split()[0] for step in steps[-3:]] == ["epoch-trials", "epoch-mixtures", "epoch-features"]
