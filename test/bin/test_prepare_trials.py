"""The command as a user types it."""

import pytest

from zspex_toolkit.bin.make_fake_corpus import main as make_fake_corpus
from zspex_toolkit.bin.prepare_trials import main
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.audio import audio_info
from zspex_toolkit.io.data_dir import DataDir


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("libri2mix") / "corpus"
    make_fake_corpus(["--corpus", "libri2mix", "--out", str(root)])
    return root


def arguments(root, tmp_path, *more):
    folders = ["--corpus_dir", str(root), "--out", str(tmp_path / "data"), "--dump", str(tmp_path / "dump")]
    return ["--corpus", "libri2mix", *folders, *more]


def test_options_of_the_corpus_and_the_rate_reach_it(root, tmp_path):
    main(arguments(root, tmp_path, "--fs", "16000", "--options", "{mode: max, sets: test}"))
    data = DataDir.load(tmp_path / "data/trials_test")
    assert audio_info(data.wavs[data.utterances[0]]).fs == 16000
    assert (tmp_path / "dump/wav16k/max/test/mix_clean").is_dir()
    assert not (tmp_path / "data/trials_dev").exists()


def test_on_the_fly_is_one_option_away(root, tmp_path):
    main(arguments(root, tmp_path, "--options", "{on_the_fly: true, sets: 'dev,test'}"))
    data = DataDir.load(tmp_path / "data/trials_dev")
    assert data.wavs[data.utterances[0]].endswith(":mix")
    assert data.read_audio(data.utterances[0], fs=8000)[1] == 8000


def test_a_misspelt_option_of_the_corpus_is_named(root, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown setting modes; did you mean mode\?$"):
        main(arguments(root, tmp_path, "--options", "{modes: max}"))


def test_what_has_an_option_of_its_own_is_none_of_the_corpus(root, tmp_path):
    with pytest.raises(ConfigError, match=r"^libri2mix: nj is no option of the corpus; give it as --nj$"):
        main(arguments(root, tmp_path, "--options", "{nj: 2}"))


def test_a_corpus_without_lists_says_how_to_get_trials(root, tmp_path):
    with pytest.raises(ConfigError, match=r"^timit: brings no lists of trials; plan some with plan_trials$"):
        main(["--corpus", "timit", "--corpus_dir", str(root), "--out", str(tmp_path)])
