"""The model that comes along: small, whole, with its card, and taken where none is named."""

import json

import numpy as np
import soundfile

from zspex_toolkit.bin import extract
from zspex_toolkit.extract.packed_model import load_model
from zspex_toolkit.extract.shipped_models import DEFAULT, PRETRAINED, default_model


def test_it_is_below_16_mb_and_has_its_card_scores_and_settings_beside_it():
    assert default_model() == PRETRAINED / DEFAULT
    files = {path.name: path.stat().st_size for path in default_model().iterdir()}
    assert set(files) == {"README.md", "model.safetensors", "model.yaml", "scores.json", "training.yaml"}
    assert sum(files.values()) < 16e6


def test_its_card_gives_the_gain_of_its_scores():
    scores = json.loads((default_model() / "scores.json").read_text(encoding="utf-8"))
    (whole,) = [group for group in scores["groups"] if group["by"] == "all"]
    gain = whole["metrics"]["si_sdri"]["mean"]
    assert f"+{gain:.1f} dB SI-SDR" in (default_model() / "README.md").read_text(encoding="utf-8")
    assert scores["num_parameters"] == sum(weight.numel() for weight in load_model()[1].parameters())


def test_extract_takes_it_where_no_model_is_named(tmp_path, capsys):
    rng = np.random.default_rng(0)
    for name in ("mixture", "enrollment"):
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * rng.standard_normal(16000), 8000)
    words = [f"--{name}={tmp_path / name}.wav" for name in ("mixture", "enrollment", "output")]
    extract.main([*words, "--device", "cpu"])
    assert "presence" in capsys.readouterr().out
    assert len(soundfile.read(tmp_path / "output.wav")[0]) == 16000
