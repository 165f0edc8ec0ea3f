"""Any corpus by its name, with options of the right types, as a user types the commands."""

import subprocess
import sys

import pytest

from zspex_toolkit.bin.make_fake_corpus import main as make_fake_corpus
from zspex_toolkit.bin.prepare_data import main as prepare_data
from zspex_toolkit.bin.prepare_trials import main as prepare_trials
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture
def prepare(fake_tree_of, tmp_path):
    """``prepare(corpus, options)``: ``data/all`` of its fake tree."""

    def run(corpus: str, options: str) -> DataDir:
        root = str(fake_tree_of("timit" if corpus == "timid" else corpus))
        out = ["--out", str(tmp_path / "data"), "--options", options]
        prepare_data(["--corpus", corpus, "--corpus_dir", root, *out])
        return DataDir.load(tmp_path / "data" / "all")

    return run


@pytest.mark.parametrize("options", ["{keep_sa: true}", "{keep_sa: 'true'}"])
def test_options_may_be_strings(prepare, options):
    assert len(prepare("timit", options).utterances) == 80


@pytest.mark.parametrize("speakers", ["0001,0003", "0001 0003"])
def test_lists_of_speakers_keep_their_zeros(prepare, speakers):
    data = prepare("speechocean762", f'{{exclude_speakers: "{speakers}"}}')
    assert len(data.spk2utt) == 6 and not {"0001", "0003"} & set(data.spk2utt)


def test_settings_may_come_from_a_file_and_the_root_from_the_variable(fake_tree_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TIMIT", str(fake_tree_of("timit")))
    settings = tmp_path / "prepare.yaml"
    settings.write_text(f"corpus: timit\nout: {tmp_path}/data\noptions:\n  keep_sa: true\n")
    prepare_data(["--config", str(settings)])
    assert len(DataDir.load(tmp_path / "data" / "all").utterances) == 80


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        ("timid", "{}", "unknown name 'timid' in corpora; did you mean 'timit'?"),
        ("timit", "{keep_as: true}", "timit --options: unknown setting keep_as; did you mean keep_sa?"),
        ("timit", "{keep_sa: perhaps}", "timit --options.keep_sa: expected true or false, got 'perhaps'"),
        ("mini", "{num_speakers: many}", "mini --options.num_speakers: expected a whole number, got 'many'"),
        ("timit", "{fs: 8000}", "timit: fs is no option of the corpus; give it as --fs"),
    ],
)
def test_a_wrong_name_or_value_is_one_clear_line(prepare, tmp_path, corpus, options, message):
    with pytest.raises(ConfigError) as error:
        prepare(corpus, options)
    assert str(error.value) == message
    assert not (tmp_path / "data").exists()


def test_a_missing_root_is_one_line_and_status_2(tmp_path):
    command = [sys.executable, "-m", "zspex_toolkit.bin.prepare_data", "--corpus", "timit"]
    done = subprocess.run([*command, "--corpus_dir", str(tmp_path / "x")], capture_output=True, text=True, check=False)
    hint = "set --corpus_dir (or the variable TIMIT) to its root"
    assert done.stderr == f"prepare_data: timit: no folder {tmp_path / 'x'}; {hint}\n"
    assert done.returncode == 2


def test_rate_places_and_options_of_trials_reach_the_corpus(fake_tree_of, tmp_path):
    folders = ["--out", str(tmp_path / "data"), "--dump", str(tmp_path / "dump"), "--fs", "16000"]
    options = ["--options", "{mode: max, sets: 'dev,test'}"]
    prepare_trials(["--corpus", "libri2mix", "--corpus_dir", str(fake_tree_of("libri2mix")), *folders, *options])
    data = DataDir.load(tmp_path / "data/trials_test")
    assert audio_info(data.wavs[data.utterances[0]]).fs == 16000
    assert (tmp_path / "dump/wav16k/max/dev/mix_clean").is_dir()


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        ("libri2mix", "{modes: max}", "libri2mix --options: unknown setting modes; did you mean mode?"),
        ("libri2mix", "{nj: 2}", "libri2mix: nj is no option of the corpus; give it as --nj"),
        ("timit", "{}", "timit: brings no lists of trials; plan some with plan_trials"),
    ],
)
def test_trials_that_cannot_be_had_are_one_clear_line(tmp_path, corpus, options, message):
    with pytest.raises(ConfigError) as error:
        prepare_trials(["--corpus", corpus, "--corpus_dir", str(tmp_path), "--options", options])
    assert str(error.value) == message


def test_a_fake_corpus_is_laid_out_where_nothing_was_and_never_over_something_else(tmp_path, capsys):
    make_fake_corpus(["--corpus", "timit", "--out", str(tmp_path / "fake")])
    assert (tmp_path / "fake/TRAIN/DR1/FCJF0/SA1.WAV").is_file()
    assert (tmp_path / "fake/test/dr1/fadg0/sa1.txt").is_file()
    assert capsys.readouterr().out == f"timit: 160 files in {tmp_path / 'fake'}\n"
    (tmp_path / "thesis.tex").write_text("three years of work\n")
    with pytest.raises(ConfigError, match=r"expected a new or empty folder for the fake corpus; it stays as it is$"):
        make_fake_corpus(["--corpus", "voxceleb", "--out", str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fake", "thesis.tex"]
