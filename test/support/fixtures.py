"""Jobs in this process, which spares every test the start of Python, and a small data directory of Kaldi's audio."""

import importlib
from pathlib import Path

import pytest

from support.made_up_trials import make_trials
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir

REFERENCE = Path(__file__).parents[1] / "data" / "kaldi_reference"


@pytest.fixture
def jobs_in_process(monkeypatch):
    """``run_jobs`` of the feature commands replaced by calls of their ``main``; the arguments of all calls."""
    calls = []

    def run_jobs(command, *, num_jobs, log, argv):
        assert "JOB" in str(log)
        main = importlib.import_module(argv[2]).main
        for job in range(1, num_jobs + 1):
            calls.append([word.replace("JOB", str(job)) for word in argv[3:]])
            main(calls[-1])

    monkeypatch.setattr("zspex_toolkit.prepare.feature_jobs.run_jobs", run_jobs)
    return calls


@pytest.fixture
def speech_dir(tmp_path):
    """Data directory with the four utterances of the Kaldi reference."""
    wavs = {utt: str(REFERENCE / path) for utt, path in read_table(REFERENCE / "wav.scp").items()}
    write_data_dir(tmp_path / "data" / "train", wavs=wavs, utt2spk={utt: utt.partition("-")[0] for utt in wavs})
    return tmp_path / "data" / "train"


@pytest.fixture
def trial_dir(tmp_path):
    """Directory of eight trials, see :mod:`made_up_trials`."""
    return make_trials(tmp_path)
