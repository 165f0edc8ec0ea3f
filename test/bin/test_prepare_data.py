"""The command as a user types it: one process, its output and its status."""

import subprocess
import sys

import pytest

from zspex_toolkit.bin.make_fake_corpus import main as make_fake_corpus
from zspex_toolkit.bin.prepare_data import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("speechocean762") / "corpus"
    make_fake_corpus(["--corpus", "speechocean762", "--out", str(root)])
    return root


def test_the_readme_line_works_with_options_of_the_corpus(root, tmp_path):
    options = ["--options", '{exclude_speakers: "0001,0003"}']
    main(["--corpus", "speechocean762", "--corpus_dir", str(root), "--out", str(tmp_path / "data"), *options])
    assert len(DataDir.load(tmp_path / "data" / "all").spk2utt) == 6


def test_settings_may_come_from_a_file(root, tmp_path):
    settings = tmp_path / "prepare.yaml"
    settings.write_text(
        f"corpus: speechocean762\ncorpus_dir: {root}\nout: {tmp_path}/data\noptions:\n  exclude_speakers: '0005'\n"
    )
    main(["--config", str(settings)])
    assert "0005" not in DataDir.load(tmp_path / "data" / "all").spk2utt


def test_a_misspelt_option_of_the_corpus_is_named(root, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown setting exclude_speaker; did you mean exclude_speakers\?$"):
        main(["--corpus", "speechocean762", "--corpus_dir", str(root), "--options", "{exclude_speaker: a}"])


def test_a_missing_root_is_one_line_and_status_2(tmp_path):
    command = [sys.executable, "-m", "zspex_toolkit.bin.prepare_data", "--corpus", "timit"]
    done = subprocess.run([*command, "--corpus_dir", str(tmp_path / "x")], capture_output=True, text=True, check=False)
    hint = "set --corpus_dir (or the variable TIMIT) to its root"
    assert done.stderr == f"prepare_data: timit: no folder {tmp_path / 'x'}; {hint}\n"
    assert done.returncode == 2
