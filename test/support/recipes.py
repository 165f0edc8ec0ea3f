"""Both mini recipes in a few minutes: few voices, the smallest networks; on one machine and on clusters."""

import os
import subprocess
import sys
from pathlib import Path

from support.same_files import assert_same_files

EGS = Path(__file__).parents[2] / "egs"


def of_every(prefix, names, value):
    return " ".join(f"{prefix}{name}={value}" for name in names.split())


EXTRACTOR = (
    of_every("--extractor_options.", "num_filters hidden bottleneck embedding_dim speaker_hidden", 16),
    of_every("--extractor_options.", "num_blocks num_stacks", 2),
)
EMBEDDER = of_every("--network_options.", "channels pooled_channels embedding_dim", 32)
OPTIONS = {
    "tse1": (
        *("--corpus_options", "{num_speakers: 10, num_utterances: 4}", "--test_speakers", "3", "--dev_speakers", "7"),
        *("--absent_share", "0.5", "--seen_speakers", "2", "--seen_per_speaker", "2", "--metrics", "si_sdr"),
        *("--train_args", " ".join(("--train.num_epochs=2 --draw.speaker_epochs=1", *EXTRACTOR))),
        *("--systems", "spex_plus zspex", "--xvector_args", "--train.num_epochs=1"),
    ),
    "demix1": (
        *("--corpus_options", "{num_speakers: 6, num_utterances: 6}", "--conditions", "snr0 snr5", "--givens", "e2"),
        *("--functions", "subtract separate_concat", "--train_args", "--train.num_epochs=2"),
        *("--embedder_args", EMBEDDER, "--segments_per_utterance", "2"),
    ),
}
# Each training has two processes of one thread each: that many there are on two nodes, too.
TWO_PROCESSES = ("--num_processes", "2", "--num_threads", "2")
ON = {"local": TWO_PROCESSES, "slurm": ("--num_nodes", "2", "--num_threads", "1"), "sge": TWO_PROCESSES}
SUBMITTED = {"slurm": "run_jobs: Slurm job", "sge": "run_jobs: Grid Engine job"}


def run_recipe(task, work, *options):
    """Run all stages; what the recipe says goes to ``work.log``. Returns that text."""
    log = Path(f"{work}.log")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name in ("cmd_backend", "train_cmd", "cuda_cmd"):
        environment.pop(name, None)
    command = [EGS / "mini" / task / "run.sh", "--work_dir", work, "--exp_tag", "x", "--nj", "2"]
    command += [*OPTIONS[task], *options]
    with log.open("w") as stream:
        done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=environment)
    said = log.read_text()
    assert done.returncode == 0, said[-3000:]
    return said


def assert_same_on(backend, task, local, work):
    """Run the recipe on that cluster: many stages are its jobs, and every file is that of the run on one machine."""
    said = run_recipe(task, work, "--cmd_backend", backend, *ON[backend])
    assert said.count(SUBMITTED[backend]) >= 6
    assert_same_files(local, work)
