"""tools/train_on_gpu.sh, on a CPU."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from zspex_toolkit.extract.packed_model import load_model
from zspex_toolkit.prepare.pack_training import Config, pack_training

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "train_on_gpu.sh"
ONE_BLOCK = {"num_blocks": 1, "num_shared": 0, "enrollment_blocks": 0}
SMALL = {name: 8 for name in ("num_bands", "channels", "hidden", "mixing", "embedding_dim")} | ONE_BLOCK


def run(*argv, cwd):
    environment = {key: value for key, value in os.environ.items() if key != "OUT"} | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([SCRIPT, *argv], cwd=cwd, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--out: expected a folder for the results"),
        (("--out", "out", "--device", "tpu"), "--device: expected cuda or cpu, got 'tpu'"),
        (("--out", "out", "--data", "no.tar"), "--data: 'no.tar' does not exist"),
        (("--out", "out", "--settings", "no.yaml"), "no.yaml': no such file"),
        (("--out", "out", "--minutes", "nine"), "--minutes: expected a number, got 'nine'"),
        (("--out", "out", "--chekcs", "false"), "unknown option --chekcs; did you mean --checks?"),
    ],
)
def test_a_wrong_option_is_one_line_and_nothing_is_made(tmp_path, options, message):
    status, output = run(*options, cwd=tmp_path)
    assert status != 0 and message in output and len(output.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_help_lists_the_options(tmp_path):
    status, output = run("--help", cwd=tmp_path)
    assert status == 0
    for option in ("--out", "--data", "--settings", "--minutes", "--wheels", "--total_seconds"):
        assert f"  {option} " in output


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_that_nothing_can_be_run(tmp_path):
    status, output = run("--out", "out", "--total_seconds", "15", cwd=tmp_path)
    assert status == 3
    assert "no Python with torch that sees a device 'cuda': nothing can be run" in output
    assert (tmp_path / "out" / "train_on_gpu.log").read_text() in output


@pytest.mark.slow
def test_a_training_comes_back_as_a_model_and_what_fails_before_it_does_not_stop_it(tmp_path, voices):
    pack_training(Config(train=voices / "data" / "train", out=tmp_path / "pack.tar"))
    network = [f"--extractor_options.{name} {value}" for name, value in SMALL.items()]
    short = "--train.batch_size 8 --draw.segment_seconds 1 --draw.enrollment_seconds [1] --train.num_epochs 2"
    status, output = run(
        *("--out", "out", "--work_dir", "work", "--device", "cpu", "--python", sys.executable, "--data", "pack.tar"),
        *("--total_seconds", "900", "--minutes", "0.02", "--train_args", f"{short} {' '.join(network)}"),
        *("--checks", "false", "--benchmark_seconds", "300", "--benchmark_args", "--extractors no_such_network"),
        cwd=tmp_path,
    )
    assert status == 1, output  # the benchmark's
    assert "no_such_network" in output and "training 0;" in output
    out = tmp_path / "out"
    files = {"best.safetensors", "last.safetensors", "model.yaml", "config.yaml", "history.jsonl", "train.log"}
    assert {path.name for path in out.iterdir()} >= files | {"train_on_gpu.log"}
    spec, extractor = load_model(out)
    assert (spec.fs, spec.extractor_options["num_bands"]) == (16000, 8)
    assert torch.isfinite(extractor.extract(torch.randn(1, 8000), extractor.clue(torch.randn(1, 8000)))).all()
    done = json.loads((tmp_path / "work" / "exp" / "done").read_text())
    assert done["settings"]["minutes"] == 0.02
