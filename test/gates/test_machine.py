"""Odd inputs, streams, memory and cards: what keeps a promise passes, and what breaks one is named."""

import os

import numpy as np
import pytest
import torch
from support.filter_extractor import FS, PRESENCE, FilterExtractor, high_noise, low_noise, spec
from support.tiny_model import OPTIONS, write_model

from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.shipped_models import default_model
from zspex_toolkit.gates.machine import (
    check_inputs,
    check_latency,
    check_streaming,
    cost_figure,
    licences,
    measure_cost,
)
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.tasks.extraction import ExtractorSpec, build_extractor

MIXTURE, ENROLLMENT = low_noise(2 * FS) + high_noise(2 * FS), low_noise(FS, 5)


def causal(network_class=None):
    torch.manual_seed(0)
    described = ExtractorSpec("spex_plus", {**OPTIONS, "causal": True}, FS, 3)
    network = build_extractor(described).eval()
    if network_class is not None:
        network.__class__ = network_class
    return Extractor(described, network, "cpu")


def test_a_filter_does_what_it_should_with_every_odd_input():
    figure = check_inputs(Extractor(spec(PRESENCE), FilterExtractor(), "cpu"), MIXTURE, ENROLLMENT)
    assert (figure.value, figure.remark) == (0, f"of {len(figure.rows)}")
    told = dict(figure.rows)
    assert told["mixture: NaN"] == "refused: mixture: holds NaN or infinity"
    assert told["mixture: 1 samples"].startswith("output, ")


@pytest.mark.parametrize(
    ("fault", "name", "said"),
    [
        (lambda voice: voice * np.nan, "mixture: white noise", "**wrong**: output that is not finite"),
        (lambda voice: voice[:-1], "mixture: 3 samples", "**wrong**: output of (2,), not (3,)"),
        (lambda voice: 1 / 0, "enrollment: 0.3 s", "**wrong**: ZeroDivisionError: division by zero"),
        (lambda voice: voice + 0.1, "mixture: silence", "**wrong**: output, RMS 0.1, of the input 0"),
    ],
)
def test_what_goes_wrong_is_named(monkeypatch, fault, name, said):
    extractor = Extractor(spec(PRESENCE), FilterExtractor(), "cpu")
    extract = extractor.extract
    monkeypatch.setattr(extractor, "extract", lambda *given, **options: fault(extract(*given, **options)))
    figure = check_inputs(extractor, MIXTURE, ENROLLMENT)
    assert figure.value > 0 and name in figure.remark and dict(figure.rows)[name] == said


def test_a_causal_network_keeps_every_promise_of_a_stream_and_waits_as_long_as_it_says():
    extractor = causal()
    figure = check_streaming(extractor, MIXTURE[:FS], ENROLLMENT)
    assert (figure.value, len(figure.rows)) == (0, 5)
    waited = check_latency(extractor, MIXTURE[:FS], ENROLLMENT).value
    assert 0 < waited <= 1000 * extractor.network.latency_samples / FS


def test_a_network_that_looks_ahead_is_found_out():
    class LooksAhead(type(causal().network)):
        def extract(self, mixture, clue):
            return super().extract(mixture, clue) / mixture.square().mean().sqrt()

    figure = check_streaming(causal(LooksAhead), MIXTURE[:FS], ENROLLMENT)
    assert "another future" in figure.remark and "all at once" in figure.remark


def test_streams_that_share_their_state_are_found_out():
    class Shares(type(causal().network)):
        def stream(self, clue):
            kept = super().stream(clue)
            kept._memory = self.__dict__.setdefault("_shared", {})
            return kept

    assert "two streams in turn" in check_streaming(causal(Shares), MIXTURE[:FS], ENROLLMENT).remark


def test_a_network_that_is_not_causal_has_no_figure_of_a_stream():
    extractor = Extractor(spec(PRESENCE), FilterExtractor(), "cpu")
    assert check_streaming(extractor, MIXTURE, ENROLLMENT).value is None
    assert check_latency(extractor, MIXTURE, ENROLLMENT).value is None


@pytest.mark.slow
def test_memory_and_time_are_those_of_a_fresh_process(tmp_path, monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    write_audio(tmp_path / "mix.wav", MIXTURE, FS)
    write_audio(tmp_path / "me.wav", ENROLLMENT, FS)
    held = np.ones(400 << 17)  # 400 MiB of this process, which are not the other's
    cost = measure_cost(write_model(tmp_path / "model"), 3 * [(str(tmp_path / "mix.wav"), str(tmp_path / "me.wav"))])
    assert cost.num_jobs == 3 and cost.audio_s == 4 and cost.cpu_s > 0
    assert 50 < cost.imports_mib < cost.first_mib <= cost.peak_mib < cost.imports_mib + held.nbytes / 2**21
    assert os.environ["ATEN_CPU_CAPABILITY"] == "default" and "MKL_ENABLE_INSTRUCTIONS" not in os.environ


@pytest.mark.slow
def test_a_recording_that_fails_is_named(tmp_path):
    write_audio(tmp_path / "mix.wav", MIXTURE, FS)
    pair, other = ((str(tmp_path / "mix.wav"), str(tmp_path / name)) for name in ("mix.wav", "none.wav"))
    with pytest.raises(UserError, match=r"jobs\.tsv:2: .*none\.wav: no such file or directory$"):
        measure_cost(write_model(tmp_path / "model"), [pair, other])


def test_one_recording_tells_no_cost(tmp_path):
    assert measure_cost(tmp_path, [("mix.wav", "me.wav")]) == "needs two recordings or more"


@pytest.mark.slow
def test_recordings_of_many_lengths_take_little_more_memory_than_one(tmp_path, monkeypatch):
    recordings = [str(tmp_path / f"{n}.wav") for n in range(40)]
    for n, path in enumerate(recordings):  # the longest first: what the rest takes more is not needed
        write_audio(path, low_noise(5 * FS - 700 * n, n), FS)
    pairs = list(zip(recordings, recordings[1:] + recordings[:1], strict=True))
    growth = {}
    for kept in ("1024", None):  # oneDNN's own, and ours
        if kept:
            monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", kept)
        else:
            monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY")
        cost = measure_cost(default_model(), pairs)
        growth[kept] = cost.peak_mib - cost.first_mib
    assert growth[None] < 0.8 * growth["1024"]


def test_a_process_that_did_not_come_back_has_no_cost():
    figure = cost_figure("the process was killed; out of memory?", lambda cost: cost.cpu_s, "")
    assert np.isnan(figure.value) and figure.remark == "the process was killed; out of memory?"


@pytest.mark.parametrize(
    ("card", "count", "named"),
    [
        ("Trained on speech of OpenSLR 101 (CC BY 4.0) and CC BY-SA noise.", 2, "CC BY 4.0, CC BY-SA"),
        ("weights: Apache-2.0", 1, "Apache-2.0"),
        ("SUBMITTED", 0, "none in README.md"),
        (None, 0, "none in README.md"),
    ],
)
def test_the_licences_of_a_card_are_named(tmp_path, card, count, named):
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    figure = licences(tmp_path)
    assert (figure.value, figure.remark) == (count, named)
