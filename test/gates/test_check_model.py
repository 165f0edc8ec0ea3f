"""The whole table on a tiny network: what is printed, written and refused."""

import dataclasses
import json

import pytest
from support.few_voices import write_voices
from support.tiny_model import write_model

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.gates import check_model as check_model_module
from zspex_toolkit.gates.check_model import GATES, Config, check_model
from zspex_toolkit.io.audio import write_audio

QUICK = ("present", "alone", "inputs", "rate", "streaming", "file", "licence")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Voices and an untrained model for all tests; what one has extracted, the next one keeps."""
    folder = tmp_path_factory.mktemp("gates")
    write_voices(folder)
    (write_model(folder / "model") / "README.md").write_text("| weights | Apache-2.0 |")
    return folder


def config(folder, **options):
    paths = {"out": folder / "out", "model": folder / "model", "data": folder / "data"}
    return Config(**{**paths, "num_trials": 4, "gates": QUICK, **options})


def test_every_gate_has_a_line_and_a_record(folder, capsys):
    checked = check_model(config(folder))
    found = {one.gate.name: one.verdict for one in checked}
    assert list(found) == ["present", "present_share", "alone", "inputs", "rate", "streaming", "file", "licence"]
    assert (found["present"], found["rate"], found["streaming"]) == ("failed", "failed", "measured")
    assert (found["file"], found["licence"]) == ("passed", "passed")
    lines = capsys.readouterr().out.splitlines()
    assert "[5/8] rate: sampling rate" in lines
    assert (
        lines.count("failed    rate               8000 Hz  (at least 16000 Hz)") == 2
    )  # when it is done, and at the end
    assert lines[-1].startswith(f"{folder}/out: ") and lines[-1].endswith("1 measured")
    facts = json.loads((folder / "out/gates.json").read_text())
    assert [gate["name"] for gate in facts["gates"]] == list(found)
    assert facts["gates"][4] | {"interval": None} == {
        "name": "rate",
        "about": "sampling rate",
        "unit": "Hz",
        "at_least": 16000,
        "at_most": None,
        "value": 8000.0,
        "interval": None,
        "verdict": "failed",
        "remark": "",
        "rows": [],
    }
    page = (folder / "out/GATES.md").read_text()
    assert all(f"| {name} |" in page for name in found) and "| mixture: NaN | refused: " in page


def test_a_gate_whose_data_break_has_failed_and_what_was_found_before_is_kept(folder, monkeypatch):
    def broken(bench):
        raise UserError("trials: no such file")

    gates = [dataclasses.replace(gate, measure=broken) if gate.name == "file" else gate for gate in GATES]
    monkeypatch.setattr(check_model_module, "GATES", gates)
    checked = check_model(config(folder, gates=("rate", "file", "licence")))
    assert [(one.gate.name, one.verdict) for one in checked] == [
        ("rate", "failed"),
        ("file", "failed"),
        ("licence", "passed"),
    ]
    facts = json.loads((folder / "out/gates.json").read_text())["gates"]
    assert (facts[1]["value"], facts[1]["remark"]) == (None, "trials: no such file")


def test_only_strict_ends_with_an_error_and_all_is_written_before(folder):
    out = folder / "strict"
    with pytest.raises(UserError, match=r"^1 of 2 gates failed: rate$"):
        check_model(Config(out, folder / "model", folder / "data", gates=("rate", "file"), strict=True))
    assert (out / "gates.json").exists() and (out / "GATES.md").exists()
    check_model(Config(out, folder / "model", folder / "data", gates=("rate", "file")))


def test_other_limits_decide_otherwise(folder):
    (rate,) = check_model(config(folder, gates=("rate",), limits={"rate": 8000}, strict=True))
    assert (rate.gate.asked, rate.verdict) == ("at least 8000 Hz", "passed")


def test_a_silent_network_that_gives_no_figure_fails_and_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "zspex_toolkit.extract.trials.write_audio",
        lambda path, samples, fs: write_audio(path, 0 * samples, fs),
    )
    gain, share = check_model(config(folder, out=tmp_path, gates=("present",)))
    assert (gain.verdict, gain.figure.remark) == ("failed", "every output of 4 trials is silent")
    assert share.figure.value == 0
    facts = json.loads((tmp_path / "gates.json").read_text())
    assert facts["gates"][0]["value"] is None and facts["gates"][0]["verdict"] == "failed"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": None}, r"^expected --data, utterances of speakers never trained on, or --trials, got neither$"),
        (
            {"gates": ("presence",)},
            r"^gates: no gate begins with 'presence'; expected some of present, present_share, ",
        ),
        ({"limits": {"noise": 3}}, r"^limits: 'noise' has no limit; expected some of present, "),
        ({"num_trials": 0}, r"^expected num_trials of 1 or more and num_files of 2 or more, got 0 and 60$"),
    ],
)
def test_settings_that_mean_nothing_are_refused(folder, options, message):
    with pytest.raises(ConfigError, match=message):
        check_model(config(folder, **options))


def test_names_of_gates_differ():
    assert len({gate.name for gate in GATES}) == len(GATES)
