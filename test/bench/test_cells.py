"""Tests of one measurement of the extractors' benchmark."""

import dataclasses
import re
import time

import pytest
import torch

from zspex_toolkit.bench import cells
from zspex_toolkit.bench.cells import (
    CHANNELS,
    CLOCKS,
    Cell,
    Figure,
    draw_batch,
    formulations,
    instructions,
    measure_cell,
    measure_formulations,
    prepare,
)
from zspex_toolkit.models.extractors.spex_plus import SMALL
from zspex_toolkit.tasks.extraction import ExtractorSpec

CELL = Cell(ExtractorSpec("spex_plus", SMALL["plain"], 8000, 3), "cpu", "eager", "training", 0.1, 2, 2, 0)


@pytest.mark.parametrize("work", ["training", "extraction"])
@pytest.mark.parametrize("mode", ["eager", "bf16"])
def test_every_work_is_timed_in_every_mode_of_a_cpu(work, mode):
    figure = measure_cell(dataclasses.replace(CELL, work=work, mode=mode))
    assert figure.failure is None
    assert figure.seconds > 0
    assert figure.memory_mib >= 0


def test_the_instructions_of_this_machine_are_named_with_what_torch_uses():
    assert re.fullmatch(r"(AVX2|none of AVX2).*; torch uses (AVX2|AVX512|DEFAULT|\w+)", instructions())


def test_bf16_is_computed_under_autocast(monkeypatch):
    seen = []
    monkeypatch.setattr(
        cells, "ExtractionLoss", lambda: lambda *_: seen.append(torch.is_autocast_enabled("cpu")) or (1, {})
    )
    for mode in ("bf16", "eager"):
        with pytest.raises(AttributeError):  # 1 has no gradient
            prepare(dataclasses.replace(CELL, mode=mode), torch.device("cpu"))()
    assert seen == [True, False]


def test_a_training_step_changes_the_weights(monkeypatch):
    networks = []
    build = cells.build_extractor
    monkeypatch.setattr(cells, "build_extractor", lambda spec: networks.append(build(spec)) or networks[0])
    run = prepare(CELL, torch.device("cpu"))
    before = networks[0].speaker_classifier.weight.detach().clone()
    run()
    assert not torch.equal(networks[0].speaker_classifier.weight, before)


def test_the_slow_first_run_is_not_timed(monkeypatch):
    seconds = iter([9.0, 2.0, 1.0])
    monkeypatch.setattr(cells, "_timed", lambda *_: next(seconds))
    assert measure_cell(CELL).seconds == 1.0
    assert next(seconds, None) is None


def test_the_clocks_are_that_of_the_wall_and_that_of_the_process():
    assert {"wall": time.perf_counter, "cpu": time.process_time} == CLOCKS


def test_a_machine_that_cannot_is_said_in_one_line(monkeypatch):
    def fail(*_):
        raise RuntimeError("no C++ compiler\nat line 3")

    monkeypatch.setattr(cells, "prepare", fail)
    assert measure_cell(CELL) == Figure(failure="RuntimeError: no C++ compiler")


def test_a_batch_has_the_size_asked_for():
    batch = draw_batch(dataclasses.replace(CELL, batch_size=5))
    assert batch["mixture"].shape == batch["enrollment"].shape == (5, 800)
    assert batch["speaker"].tolist() == [0, 1, 2, 0, 1]


@pytest.mark.slow
def test_compiled_work_is_timed_or_said_to_be_impossible():
    figure = measure_cell(dataclasses.replace(CELL, work="extraction", mode="compile"))
    assert figure.failure or figure.seconds > 0


ALL = list(formulations())


@pytest.mark.parametrize("one", ALL, ids=[one.name for one in ALL])
def test_both_ways_give_the_same(one):
    torch.manual_seed(0)
    frames = torch.randn(2, 50, CHANNELS)
    torch.testing.assert_close(one.ours(frames), one.plain(frames), rtol=1e-4, atol=1e-4)


def test_every_formulation_is_timed_beside_its_alternative():
    measured = measure_formulations(num_runs=1)
    assert list(measured) == [f"{one.name} / {one.plain_name}" for one in ALL]
    assert all(ours > 0 and plain > 0 for ours, plain in measured.values())
