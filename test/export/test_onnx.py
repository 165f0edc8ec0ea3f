"""Exported files tell what they are and run by themselves; int8 says what it costs; faults are one line."""

import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import torch
from support.made_up_trials import make_trials
from support.tiny_model import write_model

from zspex_toolkit.config import dump_config
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.export import onnx as exporting
from zspex_toolkit.export.onnx import Config, export
from zspex_toolkit.extract.clue_sources import fingerprint
from zspex_toolkit.extract.packed_model import load_model
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.models.extractors.band_split import SMALL
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor
from zspex_toolkit.train.checkpoint import save_weights

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
PAGE = Path(__file__).parents[2] / "docs" / "onnx.md"


def write_band_split(folder, **options):
    torch.manual_seed(0)
    spec = ExtractorSpec("band_split", SMALL["both"] | {"channels": 32, "hidden": 32, "mixing": 128} | options, 8000, 3)
    network = build_extractor(spec)
    with torch.no_grad():
        for layer in network.mask.outer:  # untrained, masks would be about one
            layer.weight.normal_(std=0.3)
    folder.mkdir()
    (folder / "model.yaml").write_text(dump_config(spec))
    save_weights(network.state_dict(), folder / "best.safetensors")
    return folder


@pytest.fixture(scope="module")
def causal(tmp_path_factory):
    return write_band_split(tmp_path_factory.mktemp("exp") / "causal", causal=True)


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    return write_band_split(tmp_path_factory.mktemp("exp") / "offline")


def session(path):
    return onnxruntime.InferenceSession(str(path))


def facts(path):
    return session(path).get_modelmeta().custom_metadata_map


def extracted(folder, mixture, enrollment):
    enroll = session(folder / "m_enroll.onnx")
    names = [output.name for output in enroll.get_outputs()]
    clue = dict(zip(names, enroll.run(None, {"enrollment": enrollment}), strict=True))
    return session(folder / "m.onnx").run(None, {"mixture": mixture, **clue})[0]


def noises():
    rng = np.random.default_rng(0)
    return (0.1 * rng.normal(size=(2, 1, 6000))).astype(np.float32)


def test_the_files_extract_what_the_model_extracts_and_tell_what_they_are(causal, tmp_path, capsys):
    export(Config(tmp_path / "m.onnx", causal, licence="CC BY 4.0"))
    said = re.fullmatch(
        r"(.*): m_enroll\.onnx, m\.onnx, m_stream\.onnx: band_split at 8000 Hz, "
        r"at most (.*) of the peak from the network\n",
        capsys.readouterr().out,
    )
    assert said[1] == str(tmp_path) and float(said[2]) < 1e-4
    _, network = load_model(causal)
    mixture, enrollment = noises()
    expected = network.extract(torch.from_numpy(mixture), network.clue(torch.from_numpy(enrollment)))
    assert np.abs(extracted(tmp_path, mixture, enrollment) - expected.numpy()).max() < 1e-4 * expected.abs().max()
    common = {"format": "zspex onnx", "version": "1", "network": "band_split", "fs": "8000", "causal": "true"} | {
        "hop": "128", "window": "256", "min_enrollment_samples": "256", "storage": "float32", "licence": "CC BY 4.0",
        "made_by": fingerprint(network),
    }  # fmt: skip
    assert facts(tmp_path / "m_enroll.onnx") == common | {"form": "enroll"}
    assert facts(tmp_path / "m.onnx") == common | {"form": "extract"}
    of_stream = {"form": "stream", "delay_samples": "128", "latency_samples": "255"}
    assert facts(tmp_path / "m_stream.onnx") == common | of_stream


def test_int8_is_smaller_near_and_says_its_error(offline, tmp_path, capsys):
    for name in ("full", "small"):
        (tmp_path / name).mkdir()
        export(Config(tmp_path / name / "m.onnx", offline, int8=name == "small"))
    said = capsys.readouterr().out
    assert not (tmp_path / "small" / "m_stream.onnx").exists()
    full, small = ((tmp_path / name / "m.onnx").stat().st_size for name in ("full", "small"))
    fourier = 2 * 4 * 256 * 258  # bytes of the matrices that stay as they are
    assert small - fourier < 0.4 * (full - fourier)
    full, small = (extracted(tmp_path / name, *noises()) for name in ("full", "small"))
    error_db = 10 * np.log10(np.square(small - full).sum() / np.square(full).sum())
    noted = facts(tmp_path / "small" / "m.onnx")
    assert noted["storage"] == "int8" and -60 < float(noted["int8_error_db"]) < -15
    assert abs(error_db - float(noted["int8_error_db"])) < 6
    assert f"int8 adds an error of {noted['int8_error_db']} dB (of noise like speech); before it at most" in said


def test_the_loss_of_int8_is_that_of_the_mean_si_sdr_of_trials_with_the_speaker(offline, tmp_path, monkeypatch, capsys):
    trials = make_trials(tmp_path)
    scores = iter([[10.0, 9.5], [8.0, 7.0], [3.0, 3.0]])
    monkeypatch.setattr(exporting, "si_sdr", lambda estimate, reference: torch.tensor(next(scores)))
    export(Config(tmp_path / "m.onnx", offline, int8=True, data=trials, num_trials=3))
    assert facts(tmp_path / "m.onnx")["int8_loss_db"] == "0.50"
    assert f"int8 loses 0.50 dB of 7.00 dB SI-SDR (3 trials of {trials}); before it" in capsys.readouterr().out


def test_trials_without_the_speaker_are_not_scored(offline, tmp_path):
    trials = make_trials(tmp_path)
    write_table(trials / "utt2condition", dict.fromkeys(read_table(trials / "utt2condition"), "absent"))
    with pytest.raises(UserError, match="expected a trial whose speaker is present, found none"):
        export(Config(tmp_path / "m.onnx", offline, int8=True, data=trials))
    assert not list(tmp_path.glob("*.onnx"))


def write_speech(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def test_the_example_of_the_page_runs_with_onnxruntime_and_numpy_alone(causal, tmp_path):
    export(Config(tmp_path / "me.onnx", causal))
    mixture, enrollment = noises()
    write_speech(tmp_path / "mixture.wav", mixture[0, :5555])
    write_speech(tmp_path / "voice.wav", enrollment[0])
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 21
    alone = (
        "import sys\nfor name in ('torch', 'zspex_toolkit', 'scipy', 'soundfile', 'onnx'): sys.modules[name] = None\n"
    )
    done = subprocess.run([sys.executable, "-c", alone + example], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    difference, rest = done.stdout.split(" ", 1)
    assert float(difference) < 1e-4 and rest == "at most between the two\n"


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"out": "m.txt"}, ConfigError, r"out: expected a name that ends with \.onnx, got '.*m\.txt'"),
        ({"out": "none/m.onnx"}, UserError, r"none/m\.onnx: no folder .*/none to write it to; make it first"),
        ({"num_trials": 0}, ConfigError, "num_trials: expected 1 or more, got 0"),
        ({"data": Path("trials")}, ConfigError, "data: the loss of int8 is measured on it; expected --int8 true, too"),
    ],
)
def test_settings_out_of_their_range_are_one_line(offline, tmp_path, options, kind, message):
    out = tmp_path / options.pop("out", "m.onnx")
    with pytest.raises(kind, match=message):
        export(Config(out, offline, **options))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("given", "noted"), [("", "CC BY 4.0"), ("MIT", "MIT")])
def test_the_licence_is_that_of_the_models_card_unless_it_is_given(tmp_path, given, noted):
    model = write_band_split(tmp_path / "exp")
    (model / "README.md").write_text("---\nlicence: CC BY 4.0\n---\n")
    export(Config(tmp_path / "m.onnx", model, licence=given))
    assert facts(tmp_path / "m.onnx")["licence"] == noted


def test_a_network_without_graphs_names_those_that_have_them(tmp_path):
    model = write_model(tmp_path / "spex_plus")
    with pytest.raises(
        UserError, match="spex_plus is a spex_plus; expected a network that can be exported: band_split"
    ):
        export(Config(tmp_path / "m.onnx", model))


def test_a_model_of_another_version_is_refused(offline, tmp_path):
    text = (offline / "model.yaml").read_text()
    (tmp_path / "model.yaml").write_text(text.replace("format_version: 1", "format_version: 7"))
    with pytest.raises(UserError, match="expected format_version 1, found 7"):
        export(Config(tmp_path / "m.onnx", tmp_path))


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_its_packages_it_tells_what_to_install(offline, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"{package} is not installed; pip install 'zspex_toolkit\[onnx\]'"):
        export(Config(tmp_path / "m.onnx", offline))


def test_broken_weights_write_nothing(causal, tmp_path, monkeypatch):
    spec, network = load_model(causal)
    network.mask.norm.bias.fill_(torch.nan)
    monkeypatch.setattr(exporting, "load_model", lambda model: (spec, network))
    with pytest.raises(UserError, match=r"the graph is nan of the peak from the network, expected 0\.0001 at most"):
        export(Config(tmp_path / "m.onnx", causal))
    assert not list(tmp_path.iterdir())


def test_a_stream_of_another_network_is_not_left_beside(causal, offline, tmp_path):
    export(Config(tmp_path / "m.onnx", causal))
    before = (tmp_path / "m.onnx").read_bytes()
    with pytest.raises(UserError, match=r"m_stream\.onnx: of another network, for this one is not causal; remove it"):
        export(Config(tmp_path / "m.onnx", offline))
    assert (tmp_path / "m.onnx").read_bytes() == before
