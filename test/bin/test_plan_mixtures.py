"""Tests of the command plan_mixtures."""

import numpy as np
import pytest

from zspex_toolkit.bin.plan_mixtures import main
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.simulation.plan import read_plans


@pytest.fixture
def data(tmp_path):
    utts = {"ada-1": "ada", "bob-1": "bob", "cy-1": "cy"}
    for number, utt in enumerate(utts):
        write_audio(tmp_path / f"{utt}.wav", 0.1 * np.sin((number + 1) * np.arange(8000)), 8000)
    write_data_dir(tmp_path / "data", wavs={utt: str(tmp_path / f"{utt}.wav") for utt in utts}, utt2spk=utts)
    return tmp_path / "data"


def test_every_option_reaches_the_plan(data, tmp_path):
    out = tmp_path / "mix"
    options = ["--snr_db", "-5,5", "--num_speakers", "3", "--mode", "max", "--speeds", "0.9,1.1", "--seed", "3"]
    main(["--data", str(data), "--out", str(out), *options, "--nj", "2"])
    plans = read_plans(out / "plan.jsonl")
    assert [len(plan.sources) for plan in plans] == [3, 3, 3]
    assert {source.speed for plan in plans for source in plan.sources} == {0.9, 1.1}
    assert all(-5 <= plan.snr_db <= 5 and plan.seed == 3 for plan in plans)


def test_a_negative_snr_is_a_value_and_not_an_option(data, tmp_path):
    main(["--data", str(data), "--out", str(tmp_path / "mix"), "--snr_db", "-5"])
    assert {plan.snr_db for plan in read_plans(tmp_path / "mix" / "plan.jsonl")} == {-5.0}


@pytest.mark.parametrize("snr_db", ["inf", ".inf", "nan", "loud"])
def test_an_snr_that_is_no_number_is_refused(data, tmp_path, snr_db):
    with pytest.raises(ConfigError, match="snr_db"):
        main(["--data", str(data), "--out", str(tmp_path / "mix"), "--snr_db", snr_db])
    assert not (tmp_path / "mix").exists()


def test_a_misspelt_option_names_the_nearest(data, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown setting --snr; did you mean --snr_db\?"):
        main(["--data", str(data), "--out", str(tmp_path / "mix"), "--snr", "0"])


def test_a_missing_data_directory_is_named(tmp_path):
    with pytest.raises(DataDirError, match="missing: no such data directory"):
        main(["--data", str(tmp_path / "missing"), "--out", str(tmp_path / "mix")])
