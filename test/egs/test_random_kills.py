"""SIGKILL of all that a recipe has running, at random moments: started again, it ends with the same results.

The moments are the same in every run; ZSPEX_TEST_SEED=17 draws others.
"""

import os
import random
import subprocess
import time
import uuid
from pathlib import Path

import marked
import pytest
from same_files import assert_same_files

RECIPE = Path(__file__).parents[2] / "egs/mini/demix1/run.sh"
NET = "--network_options.channels=32 --network_options.pooled_channels=48 --network_options.embedding_dim=32"
OPTIONS = (
    *("--corpus_options", "{num_speakers: 6, num_utterances: 6}", "--conditions", "snr0", "--givens", "e2"),
    *("--functions", "subtract separate_concat", "--train_args", "--train.num_epochs 2 --train.checkpoint_steps 3"),
    *("--embedder_args", NET, "--segments_per_utterance", "2"),
)


def start(work, mark):
    """The recipe; what it says goes to ``work.log``."""
    command = [RECIPE, "--work_dir", work, *OPTIONS]
    with open(f"{work}.log", "a") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, marked.NAME: mark})


def run_with_kills(work, count, seed):
    """Kill the recipe ``count`` times, each a random while after it was started again; then let it end."""
    rng = random.Random(seed)
    for _ in range(count):
        mark = uuid.uuid4().hex
        process = start(work, mark)
        time.sleep(rng.uniform(0.2, 12))
        marked.kill_all(mark)
        process.wait()
    return start(work, "whole").wait()


@pytest.mark.slow
def test_killed_at_twenty_random_moments_a_recipe_ends_with_the_same_results(tmp_path):
    whole, killed = (tmp_path / name for name in ("whole", "killed"))
    assert run_with_kills(whole, 0, 0) == 0, Path(f"{whole}.log").read_text()[-2000:]
    seed = int(os.environ.get("ZSPEX_TEST_SEED", 0))
    assert run_with_kills(killed, 20, seed) == 0, f"seed {seed}: {Path(f'{killed}.log').read_text()[-2000:]}"
    print(f"seed {seed}")
    assert_same_files(whole, killed)
