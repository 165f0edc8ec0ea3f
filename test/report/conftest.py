"""A tiny experiment with worked scores: two functions, both directions, three SNRs; and one of extraction."""

import json
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

from zspex_toolkit.report.extraction_results import Config, report_extraction

sys.path.insert(0, str(Path(__file__).parent))  # for the modules beside the tests
from made_up_extraction import make_experiment

ACCURACY = {"before": 0.25, "subtract": 0.5, "multiply": 0.75, "clean": 1.0}


def score_row(function="subtract", given="e2", condition="snr0", snr_db=0.0, dataset="test", **changes) -> dict:
    trained = function not in ("before", "clean")
    row = {
        "function": function,
        "given": given,
        "condition": condition,
        "snr_db": snr_db,
        "set": dataset,
        "num_trials": 8,
        "num_dropped": 1,
        "accuracy": ACCURACY[function],
        "accuracy_interval": [ACCURACY[function] - 0.125, min(1.0, ACCURACY[function] + 0.125)],
        "mean_cosine": 0.875,
        "mae": 0.25 if trained else None,
        "equal_error_rate": 0.0625,
        "list_hash": f"{given}{condition}{dataset}",
        "config_hash": "c0ffee",
        "num_parameters": 1234 if trained else None,
        "commit": "abc123",
        "seconds": 2.0,
    }
    return {**row, **changes}


def write_scores(folder: Path, rows: list) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.json").write_text(json.dumps(rows))


def write_history(folder: Path, errors: list[float]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        {"epoch": epoch, "train": {"mae": error / 2}, "valid": {"mae": error}, "seconds": 30.0, "amp": "bf16"}
        for epoch, error in enumerate(errors, start=1)
    ]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def row():
    return score_row


@pytest.fixture
def exp(tmp_path):
    """``Sub`` and ``Mul`` in both directions at three SNRs, with baselines, settings and histories."""
    folder = tmp_path / "exp"
    for given in ("e1", "e2"):
        for condition, snr_db in (("snr-5", -5.0), ("snr0", 0.0), ("snr5", 5.0)):
            where = {"given": given, "condition": condition, "snr_db": snr_db}
            baselines = [score_row(f, dataset=s, **where) for f in ("before", "clean") for s in ("train", "test")]
            write_scores(folder / "baseline" / f"{given}_{condition}", baselines)
            for function in ("subtract", "multiply"):
                network = folder / f"demix_{given}_{condition}_{function}"
                write_scores(network, [score_row(function, dataset=s, **where) for s in ("train", "test")])
                write_history(network, [0.5, 0.25, 0.375])
                (network / "config.yaml").write_text("train: {batch_size: 64, accumulate: 2, seed: 7}\n")
    return folder


@pytest.fixture(scope="session")
def tse_exp(tmp_path_factory) -> Path:
    """The made-up extraction experiment; ``data`` lies beside it."""
    return make_experiment(tmp_path_factory.mktemp("tse"))


@pytest.fixture(scope="session")
def tse_report(tse_exp) -> Path:
    """The folder of its report."""
    out = tse_exp.parent / "out"
    config = Config(tse_exp, out, "mini", data=tse_exp.parent / "data", ladder=("spex_plus", "zspex"), command="run.sh")
    report_extraction(config, now=datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc))
    return out
