"""Tests of the table of the extractors' cost."""

import dataclasses
import json
import os

import pytest

from zspex_toolkit.bench import extraction as benchmark
from zspex_toolkit.bench.cells import Cell, Figure
from zspex_toolkit.bench.extraction import best, measure_in_a_process, modes_of, slower, table
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.tasks.extraction import ExtractorSpec

CELL = Cell(ExtractorSpec("spex_plus", {}, 8000, 3), "cpu", "eager", "training", 4.0, 2, 3, 0)


def both_works(mode, training, extraction):
    training_cell = dataclasses.replace(CELL, mode=mode)
    return {training_cell: training, dataclasses.replace(training_cell, work="extraction"): extraction}


def test_the_table_shows_speed_ratio_and_memory_of_both_works():
    figures = both_works("eager", Figure(4.0, 1000.0), Figure(2.0, 50.0))
    figures |= both_works("bf16", Figure(1.0, 300.4), Figure(0.5, 40.0))
    assert table(figures)[2:] == [
        "| spex_plus | cpu | eager | 0.25 | 1.00 | 1000 | 0.5 | 1.00 | 50 |",
        "| spex_plus | cpu | bf16 | 1 | 4.00 | 300 | 0.125 | 4.00 | 40 |",
    ]


def test_what_failed_stands_in_the_table_with_the_reason_below():
    figures = both_works("compile", Figure(failure="RuntimeError: no compiler"), Figure(0.5, 40.0))
    assert table(figures)[2:] == [
        "| spex_plus | cpu | compile | failed | |  | 0.125 |  | 40 |",
        "",
        "- spex_plus, cpu, compile: RuntimeError: no compiler",
    ]


def test_the_best_round_counts_and_a_failure_less_than_any():
    failed = Figure(failure="killed")
    assert best(None, failed) == failed
    assert best(failed, Figure(1.0, 2.0)) == best(Figure(1.0, 2.0), failed) == Figure(1.0, 2.0)
    assert best(Figure(1.0, 5.0), Figure(2.0, 3.0)) == Figure(1.0, 3.0)


def test_a_cpu_is_not_asked_for_what_needs_a_compiler():
    assert modes_of("cuda:0", ()) == ("eager", "bf16", "compile", "compile_bf16")
    assert modes_of("cpu", ()) == ("eager", "bf16")
    assert modes_of("cpu", ("compile",)) == ("compile",)


def test_what_is_in_use_and_slower_than_its_alternative_is_named(monkeypatch):
    figures = both_works("eager", Figure(1.0, 10.0), Figure(1.0, 10.0)) | both_works(
        "bf16", Figure(4.0, 10.0), Figure(1.0, 10.0)
    )
    layers = {"PReLU / functional.prelu": (2.0, 1.0), "decoder / ConvTranspose1d": (1.0, 3.0)}
    monkeypatch.setattr(benchmark, "resolve_amp", lambda *_: "bf16")
    assert slower(figures, layers) == [
        "- slower than its plain alternative here: PReLU, torch has functional.prelu (0.50 x)",
        "- slower than its alternative here: bf16, which amp auto takes for spex_plus on cpu (bf16 is 0.25 x as "
        "quick); train with --train.amp none",
    ]
    monkeypatch.setattr(benchmark, "resolve_amp", lambda *_: "none")
    assert slower(figures, {"decoder / ConvTranspose1d": (1.0, 3.0)}) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"modes": ("fast",)}, "modes: expected some of eager, bf16, compile, compile_bf16, got 'fast'"),
        ({"extractors": ("spex",)}, "did you mean 'zspex'"),
        ({"extractor_options": {"strid": 5}}, "stride"),
        ({"devices": ("tpu",)}, "device: expected auto, cpu or cuda:N, got 'tpu'"),
        ({"clock": "sun"}, "clock: expected one of wall, cpu, got 'sun'"),
        ({"batch_size": 1}, "a batch_size of 2 or more"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_measured(options, message, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "measure_in_a_process", None)
    with pytest.raises(ConfigError, match=message):
        benchmark.benchmark_extraction(benchmark.Config(out=tmp_path, **options))


def test_everything_is_measured_in_turn_and_the_table_written_twice(tmp_path, monkeypatch, capsys):
    order = []

    def measure(cell):
        order.append((cell.mode, cell.work))
        return Figure(float(len(order)), 10.0)

    monkeypatch.setattr(benchmark, "measure_in_a_process", measure)
    monkeypatch.setattr(benchmark, "measure_formulations", lambda: {"PReLU / functional.prelu": (1.0, 2.5)})
    benchmark.benchmark_extraction(
        benchmark.Config(out=tmp_path, extractors=("zspex",), devices=("cpu",), modes=("eager", "bf16"), num_rounds=2)
    )
    assert order == 2 * [("eager", "training"), ("eager", "extraction"), ("bf16", "training"), ("bf16", "extraction")]
    page = (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    assert page == capsys.readouterr().out
    assert "| zspex | cpu | bf16 | 0.333 | 0.33 | 10 | 1 | 0.50 | 10 |" in page
    assert "| PReLU / functional.prelu | 2.50 |" in page and "- instructions: " in page
    figures = json.loads((tmp_path / "benchmark.json").read_text(encoding="utf-8"))["figures"]
    assert [figure["seconds"] for figure in figures] == [1.0, 2.0, 3.0, 4.0]


def _die(_):
    os._exit(9)


def test_a_measurement_that_is_killed_is_a_failure_and_not_the_end(monkeypatch):
    monkeypatch.setattr(benchmark, "measure_cell", _die)
    monkeypatch.setattr(benchmark.multiprocessing, "get_context", lambda _: __import__("multiprocessing"))
    assert measure_in_a_process(CELL).failure == "the process was killed; out of memory?"
