"""The page says where its figures come from."""

import dataclasses
import hashlib
import importlib.metadata
from datetime import datetime, timezone

from zspex_toolkit.report.demixing.networks import Cost, read_networks
from zspex_toolkit.report.demixing.provenance import (
    cost_lines,
    disagreements,
    foundation_facts,
    foundation_lines,
    list_lines,
    network_lines,
    trial_lists,
)
from zspex_toolkit.report.demixing.scores import read_scores
from zspex_toolkit.report.provenance import environment, environment_lines

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc)


def test_the_environment_names_date_command_and_versions():
    lines = environment_lines(environment("egs/mini/demix1/run.sh", now=NOON))
    assert lines[:2] == ["- date: 2026-01-02 12:00 UTC", "- command: `egs/mini/demix1/run.sh`"]
    assert lines[3].startswith("- versions: zspex_toolkit 0.1.0, python 3.")
    for library in ("torch", "scipy", "soxr", "safetensors"):
        assert f", {library} {importlib.metadata.version(library)}" in lines[3]


def test_each_list_of_trials_is_named_once(exp):
    lists = trial_lists(read_scores(exp))
    assert len(lists) == 2 * 3 * 2  # directions, SNRs, sets
    assert list_lines(lists)[2] == "| e2 | -5 dB | test | 8 | 1 | e2snr-5test |"


def test_cells_scored_on_different_trials_are_told(exp):
    scores = read_scores(exp)
    assert disagreements(scores) == []
    scores[-1] = dataclasses.replace(scores[-1], list_hash="other", num_trials=5)
    assert disagreements(scores) == [
        "given e2, 5 dB, test: baseline/e2_snr5/scores.json has 8 trials of list e2snr5test, "
        "demix_e2_snr5_subtract/scores.json has 5 of other"
    ]


def test_a_network_is_told_with_its_size_batch_and_time(exp):
    lines = network_lines(read_networks(exp, read_scores(exp)))
    hashed = hashlib.sha256((exp / "demix_e2_snr-5_subtract" / "config.yaml").read_bytes()).hexdigest()[:12]
    assert (
        lines[2]
        == f"| demix_e2_snr-5_subtract | 1,234 | 128 | 3 | 0.3750 | 1.5 | bf16 | 7 | {hashed} | – | abc123 | – | – |"
    )


def test_the_commit_of_the_training_and_the_cost_are_told(exp):
    folder = "demix_e2_snr-5_subtract"
    (exp / folder / "done").write_text('{"epochs": 3, "commit": "def456"}')
    costs = {folder: Cost(fs=8000, macs_per_second=1.25e9, real_time_factor=0.0625)}
    line = network_lines(read_networks(exp, read_scores(exp)), costs)[2]
    assert line.endswith(" | def456 | abc123 | 1250.0 | 0.0625 |")
    assert cost_lines(costs)[0].startswith("Sampling rate: 8000 Hz. MMAC/s: millions of multiply-accumulate")
    assert cost_lines({}) == []


def test_what_a_network_does_not_say_is_a_dash(tmp_path):
    (tmp_path / "demix_e2_snr0_subtract").mkdir()
    assert network_lines(read_networks(tmp_path, []))[2] == (
        "| demix_e2_snr0_subtract | – | – | – | – | – | – | – | – | – | – | – | – |"
    )


def test_the_trainings_of_a_and_b_are_told(exp):
    (exp / "embedder").mkdir()
    history = '{"epoch": 1, "train": {"accuracy": 0.9375}, "valid": null, "seconds": 90.0, "amp": "none"}\n'
    (exp / "embedder" / "history.jsonl").write_text(history)
    settings = "train: {batch_size: 32, optimizer: adam, learning_rate: 0.001, schedule: cosine, seed: 3}\n"
    (exp / "embedder" / "config.yaml").write_text(settings)
    (exp / "embedder" / "done").write_text('{"epochs": 1, "commit": "0123456789"}')
    hashed = hashlib.sha256(settings.encode()).hexdigest()[:12]
    assert foundation_lines(foundation_facts(exp)) == [
        "- embedder: 1 epochs, effective batch 32, adam, learning rate 0.001, cosine schedule, seed 3, 1.5 minutes, "
        f"amp none, accuracy on its training items 93.8 %, settings {hashed}, trained at 0123456789"
    ]
