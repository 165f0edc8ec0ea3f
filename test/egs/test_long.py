"""egs/many_voices/tse1/long.sh: a training without an end, and what is cooled down from it."""

import subprocess
from pathlib import Path

import pytest
from safetensors.torch import load_file

from zspex_toolkit.train.history import read_history

SCRIPT = Path(__file__).parents[2] / "egs" / "many_voices" / "tse1" / "long.sh"
SIZES = {"num_bands": 4, "channels": 8, "hidden": 8, "mixing": 8, "num_blocks": 2, "num_shared": 1} | {
    "enrollment_blocks": 1, "embedding_dim": 8, "key_dim": 8, "value_dim": 8, "mask_hidden": 8
}  # fmt: skip


def run(*argv, cwd):
    done = subprocess.run([SCRIPT, *map(str, argv)], cwd=cwd, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_without_a_whole_epoch_there_is_nothing_to_cool_down(tmp_path):
    (tmp_path / "settings.yaml").touch()
    status, told = run("--train_config", tmp_path / "settings.yaml", "--cool", "cooled", cwd=tmp_path)
    assert status == 1 and told.endswith("exp/long: no whole epoch yet, whose weights could be cooled down\n")
    assert not (tmp_path / "cooled").exists()


@pytest.mark.slow
def test_a_cool_down_begins_with_the_weights_so_far_and_leaves_the_training_as_it_is(voices, tmp_path):
    sizes = " ".join(f"--extractor_options.{name} {value}" for name, value in SIZES.items())
    draw = "--draw.segment_seconds 0.3 --draw.enrollment_seconds [0.3] --draw.third_probability 0"
    common = ["--train_config", SCRIPT.parent / "conf" / "long.yaml", "--data", voices / "data" / "train"]
    common += [
        "--valid_data",
        "null",
        "--train_args",
        f"{draw} {sizes} --train.num_epochs 1 --train.warmup_steps 1 --device cpu",
    ]
    status, told = run(*common, cwd=tmp_path)
    assert status == 0, told
    begun = load_file(tmp_path / "exp" / "long" / "last.safetensors")
    status, told = run(*common, "--cool", "cooled", cwd=tmp_path)
    assert status == 0, told
    assert all((load_file(tmp_path / "cooled" / "begun_with.safetensors")[name] == begun[name]).all() for name in begun)
    assert all((load_file(tmp_path / "exp/long/last.safetensors")[name] == begun[name]).all() for name in begun)
    (long,), (cooled,) = read_history(tmp_path / "exp" / "long"), read_history(tmp_path / "cooled")
    assert cooled["learning_rate"] < long["learning_rate"]
