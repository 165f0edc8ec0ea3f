"""A tiny experiment with worked scores: two functions, both directions, three SNRs; and one of extraction."""

from datetime import datetime, timezone
from pathlib import Path

import pytest
from support.made_up_demixing import score_row, write_history, write_scores
from support.made_up_extraction import make_experiment

from zspex_toolkit.report.extraction.results import Config, report_extraction


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
