"""The command as a user types it, on a small untrained network: what is written and what is said."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from zspex_toolkit.bin.extract import main
from zspex_toolkit.config import run
from zspex_toolkit.errors import UserError


def paths(extraction, *names):
    return ",".join(str(extraction / name) for name in names)


def test_a_voice_is_extracted_at_the_rate_and_length_of_the_mixture(extraction, capsys):
    main(
        [
            *("--model", str(extraction / "exp"), "--mixture", paths(extraction, "mix.wav"), "--device", "cpu"),
            *("--enrollment", paths(extraction, "me.wav", "me_again.wav"), "--output", paths(extraction, "out.flac")),
            *("--sample_format", "int24", "--normalize_output", "peak"),
        ]
    )
    info = soundfile.info(extraction / "out.flac")
    assert (info.frames, info.samplerate, info.subtype) == (32000, 16000, "PCM_24")
    assert np.abs(soundfile.read(extraction / "out.flac")[0]).max() == pytest.approx(0.9, abs=1e-3)
    assert capsys.readouterr().out == f"{extraction}/out.flac: 2.00 s, presence unknown\n"


def test_a_list_with_a_failure_ends_with_status_1_and_one_line_a_fault(extraction, monkeypatch, capsys):
    lines = (("mix.wav", "me.wav", "a.wav"), ("none.wav", "me.wav", "b.wav"), ("mix.wav", "me_again.wav", "c.wav"))
    (extraction / "jobs.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    monkeypatch.chdir(extraction)
    monkeypatch.setattr(sys, "argv", ["extract", "--model", "exp", "--list", "jobs.tsv", "--device", "cpu"])
    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "a.wav: 2.00 s, presence unknown",
        "c.wav: 2.00 s, presence unknown",
        "jobs.tsv: 3 jobs in, 2 done, 1 failed",
    ]
    faults = [line for line in said.err.splitlines() if "resampled" not in line]
    assert faults[1:] == ["jobs.tsv:2: none.wav: no such file or directory", "extract: 1 of 3 jobs failed: jobs.tsv:2"]
    assert [Path(name).exists() for name in ("a.wav", "b.wav", "c.wav")] == [True, False, True]


def test_a_gpu_that_is_not_there_is_one_line_and_nothing_is_written(extraction):
    with pytest.raises(UserError, match="device: 'cuda:99' is not there, this machine has"):
        main(
            [
                *("--model", str(extraction / "exp"), "--mixture", paths(extraction, "mix.wav"), "--device", "cuda:99"),
                *("--enrollment", paths(extraction, "me.wav"), "--output", paths(extraction, "out.wav")),
            ]
        )
    assert not (extraction / "out.wav").exists()
