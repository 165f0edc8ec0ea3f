"""A model has a name by which it stays reachable, and the list says of each what a user asks first."""

import json
import re

import pytest
from support.tiny_model import write_model

from zspex_toolkit.bin import models
from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.packed_model import Config as PackConfig
from zspex_toolkit.extract.packed_model import load_model, pack_model
from zspex_toolkit.extract.shipped_models import (
    DEFAULT,
    PRETRAINED,
    Config,
    default_model,
    list_models,
    model_folder,
    shipped_models,
)

CARD = """---
trained_on: a corpus
licence: CC0
---
# The card
"""
WHOLE = {
    "by": "all",
    "num_trials": 1200,
    "metrics": {
        "si_sdri": {"mean": 9.04, "interval": [8.9, 9.2], "speaker_interval": [8.0, 10.06]},
        "share_above_1_db": {"mean": 0.9312},
        "confusion": {"mean": 0.04},
    },
}


@pytest.fixture
def root(tmp_path):
    """Two shipped models, ``a-16k`` with card and scores, and the default without."""
    for name in ("a-16k", DEFAULT):
        experiment = write_model(tmp_path / "exp" / name)
        pack_model(PackConfig(experiment, tmp_path / "pretrained" / name))
    folder = tmp_path / "pretrained/a-16k"
    (folder / "README.md").write_text(CARD)
    for name, metrics in (("scores", WHOLE), ("scores_street", {**WHOLE, "metrics": {}})):
        groups = [{"by": "gender", "num_trials": 1}, metrics]
        (folder / f"{name}.json").write_text(json.dumps({"set": name[7:] or "test", "groups": groups}))
    return tmp_path / "pretrained"


def test_the_default_is_one_of_the_shipped_models_and_the_eight_kilohertz_one_keeps_its_name():
    assert DEFAULT in shipped_models()
    assert load_model("zspex-8k-v1")[0].fs == 8000
    assert load_model(DEFAULT)[0] == load_model()[0] == load_model("default")[0]


@pytest.mark.parametrize("name", shipped_models())
def test_every_shipped_model_has_a_card_that_says_what_it_was_trained_on_and_its_licence(name, capsys):
    list_models(Config())
    (told,) = [
        part for part in re.split(r"^(?=\S)", capsys.readouterr().out, flags=re.MULTILINE) if part.startswith(name)
    ]
    assert "not told" not in told and "  scores " in told
    files = [path.stat().st_size for path in (PRETRAINED / name).iterdir()]
    assert sum(files) < 16e6


def test_the_list_has_the_default_first_and_then_all_that_cards_and_scores_tell(root, capsys):
    list_models(Config(), root)
    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[lines.index("a-16k")]) == (f"{DEFAULT} (default)", "a-16k")
    told = [line.strip() for line in lines[lines.index("a-16k") + 1 :]]
    assert told[0].startswith("network     spex_plus, 0.0") and told[0].endswith(" million parameters, float16")
    assert told[1] == "rate        8000 Hz" and re.fullmatch(r"size        0\.\d MB", told[2])
    assert told[3:5] == ["trained on  a corpus", "licence     CC0"]
    gain = "gain 9.0 dB SI-SDR [8.0, 10.1]; over 1 dB 93.1 %; confusion 4.0 %"
    assert told[5:7] == [f"scores      test: 1,200 trials; {gain}", "scores      street: 1,200 trials"]
    assert told[7] == f"folder      {root / 'a-16k'}"
    assert "  trained on  not told" in lines[: lines.index("a-16k")]


def test_a_card_is_printed_without_its_head(root, capsys):
    list_models(Config("a-16k"), root)
    assert capsys.readouterr().out == "# The card\n"
    with pytest.raises(UserError, match=r"README\.md: no such file; this model has no card"):
        list_models(Config(DEFAULT), root)


def test_a_name_is_a_shipped_model_and_a_folder_of_that_name_wins_if_it_is_a_model(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert model_folder("a-16k", root) == root / "a-16k"
    (tmp_path / "a-16k").mkdir()
    assert model_folder("a-16k", root) == root / "a-16k"
    write_model(tmp_path / "a-16k")
    assert str(model_folder("a-16k", root)) == "a-16k"
    assert model_folder(tmp_path / "no/such", root) == tmp_path / "no/such"


def test_an_unknown_name_is_one_line_with_those_that_there_are(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = (
        f"model b-16k: no such folder, and no model of that name comes with the toolkit; there is: a-16k, {DEFAULT}"
    )
    with pytest.raises(UserError, match=re.escape(message)):
        model_folder("b-16k", root)


def test_the_only_shipped_model_is_the_default_where_none_has_its_name(tmp_path):
    write_model(tmp_path / "small", weights="model")
    assert default_model(tmp_path) == tmp_path / "small"
    write_model(tmp_path / DEFAULT, weights="model")
    assert default_model(tmp_path) == tmp_path / DEFAULT


@pytest.mark.parametrize(("names", "found"), [((), "none"), (("a", "b"), "several: a, b")])
def test_without_one_shipped_model_the_option_is_named(tmp_path, names, found):
    for name in names:
        write_model(tmp_path / name, weights="model")
    with pytest.raises(
        UserError, match=f"expected one model to take by default, found {found}; give --model, the fold"
    ):
        default_model(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("scores.json", "{}", r"scores\.json: expected scores as score_extraction writes them"),
        ("README.md", "---\na: [\n---\n", r"README\.md: expected YAML between the lines '---'"),
        ("README.md", "---\nwords\n---\n", r"README\.md: expected 'name: value' between the lines"),
        ("model.safetensors", "x", r"model\.safetensors: missing, cut short or no safetensors file"),
    ],
)
def test_a_broken_file_of_a_model_is_named(root, name, text, message):
    (root / "a-16k" / name).write_text(text)
    with pytest.raises(UserError, match=message):
        list_models(Config(), root)


def test_the_command_lists_the_shipped_models(capsys):
    models.main([])
    assert capsys.readouterr().out.startswith(f"{DEFAULT} (default)\n")
