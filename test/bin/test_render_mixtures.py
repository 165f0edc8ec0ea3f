"""Tests of the command render_mixtures."""

import os
import subprocess
import sys

import numpy as np
import pytest

from zspex_toolkit.bin import plan_mixtures
from zspex_toolkit.bin.render_mixtures import main
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.write import write_data_dir


@pytest.fixture
def planned(tmp_path):
    """Options of the command for a plan of two mixtures."""
    utts = {"ada-1": "ada", "bob-1": "bob"}
    for number, utt in enumerate(utts):
        write_audio(tmp_path / f"{utt}.wav", 0.1 * np.sin((number + 1) * np.arange(8000)), 8000)
    write_data_dir(tmp_path / "data", wavs={utt: str(tmp_path / f"{utt}.wav") for utt in utts}, utt2spk=utts)
    plan_mixtures.main(["--data", str(tmp_path / "data"), "--out", str(tmp_path / "mix")])
    paths = {"data": "mix", "source_data": "data", "out": "dump"}
    return [word for name, path in paths.items() for word in (f"--{name}", str(tmp_path / path))]


def test_mixtures_and_their_sources_are_written(planned, tmp_path):
    main([*planned, "--store_sources", "true", "--audio_format", "flac"])
    assert read_table(tmp_path / "mix" / "utt2spk") == {"ada-1_bob-1": "ada", "bob-1_ada-1": "bob"}
    assert read_table(tmp_path / "mix" / "utt2spk2") == {"ada-1_bob-1": "bob", "bob-1_ada-1": "ada"}
    assert read_table(tmp_path / "mix" / "spk2.scp")["ada-1_bob-1"] == f"{tmp_path}/dump/spk2/ada-1_bob-1.flac"


def test_a_full_disk_is_one_line_and_what_was_there_stays(planned, tmp_path):
    main(planned)
    table = (tmp_path / "mix" / "wav.scp").read_bytes()
    (tmp_path / "dump" / "wav" / "ada-1_bob-1.wav").unlink()
    # A limit on file size stands for the disk: the writer meets the same kind of error.
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "from zspex_toolkit.bin.render_mixtures import main; from zspex_toolkit.config import run; run(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *planned],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1
    assert done.stderr.endswith("ada-1_bob-1.wav: cannot be written (System error.); is the disk full?\n")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "mix" / "wav.scp").read_bytes() == table
    assert [path.name for path in (tmp_path / "dump" / "wav").iterdir()] == ["bob-1_ada-1.wav"]
