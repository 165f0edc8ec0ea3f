"""What every corpus must do; a new file in ``zspex_toolkit/corpora`` is tested here without being named."""

import inspect
from collections import Counter
from pathlib import Path

import pytest

from zspex_toolkit import registry
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.validate import validate_data_dir

CORPORA = registry.available("corpora")


@pytest.fixture(scope="module", params=CORPORA)
def prepared(request, fake_tree_of, tmp_path_factory):
    """(corpus module, its fake tree, the folder prepared from it, the data directories in there)."""
    corpus = registry.load_module("corpora", request.param)
    root, out = fake_tree_of(request.param), tmp_path_factory.mktemp("out")
    return corpus, root, out, corpus.prepare(root, out)


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_directories_are_valid_down_to_the_audio(prepared):
    for directory in prepared[3]:
        assert validate_data_dir(directory, check_audio=True) == []


def test_there_is_enough_to_split_train_and_score(prepared):
    for directory in prepared[3]:
        data = DataDir.load(directory)
        heard = Counter(data.utt2spk.values())
        if (directory / "utt2spk2").exists():
            heard.update(data.table("utt2spk2").values())
        assert len(heard) >= 5
        assert min(heard.values()) >= 2
        assert {data.read_audio(utt, fs=16000)[1] for utt in data.utterances} == {16000}


def test_utterance_ids_begin_with_the_speaker(prepared):
    for directory in prepared[3]:
        assert all(utt.startswith(f"{spk}-") for utt, spk in DataDir.load(directory).utt2spk.items())


def test_no_two_utterances_are_the_same(prepared):
    for directory in prepared[3]:
        data = DataDir.load(directory)
        assert len({data.read_audio(utt)[0].tobytes() for utt in data.utterances}) == len(data.utterances)


def test_preparing_again_gives_the_same_bytes(prepared, tmp_path):
    corpus, root, out, _ = prepared
    corpus.prepare(root, tmp_path)
    assert files_of(tmp_path) == files_of(out)


def test_the_fake_tree_is_the_same_every_time(prepared, tmp_path):
    corpus, root, _, _ = prepared
    corpus.fake_tree(tmp_path / "again")
    assert files_of(tmp_path / "again") == files_of(root)


def test_the_counts_are_printed_and_what_was_dropped_is_listed(prepared, tmp_path, capsys):
    corpus, root, _, _ = prepared
    corpus.prepare(root, tmp_path)
    name = corpus.__name__.rpartition(".")[2]
    counts = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{name}: in ")]
    num_dropped = len((tmp_path / "dropped.txt").read_text().splitlines())
    assert len(counts) == 1
    assert f", dropped {num_dropped}" in counts[0]


@pytest.mark.parametrize("name", [name for name in CORPORA if name != "mini"])  # which makes itself
def test_a_missing_root_names_the_option_and_the_variable(name, tmp_path):
    root = tmp_path / "nowhere"
    with pytest.raises(ConfigError) as error:
        registry.load_module("corpora", name).prepare(root, tmp_path / "out")
    hint = f"set --corpus_dir (or the variable {name.upper()}) to its root"
    assert str(error.value) == f"{name}: no folder {root}; {hint}"


def test_a_folder_of_something_else_is_refused_and_the_old_data_stay(prepared, tmp_path):
    corpus, _, out, _ = prepared
    before = files_of(out)
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "photo.txt").write_text("no speech\n")
    with pytest.raises((ConfigError, DataDirError)) as error:
        corpus.prepare(tmp_path / "holiday", out)
    assert str(tmp_path / "holiday") in str(error.value)
    assert "\n" not in str(error.value)
    assert files_of(out) == before


def test_another_rate_is_refused_with_both_numbers_and_nothing_is_written(prepared, tmp_path):
    corpus, root, _, _ = prepared
    with pytest.raises(DataDirError, match="16000 Hz instead of 8000 Hz"):
        corpus.prepare(root, tmp_path / "out", fs=8000)
    assert not (tmp_path / "out").exists()


def test_every_option_has_a_default(prepared):
    parameters = inspect.signature(prepared[0].prepare).parameters
    assert list(parameters)[:3] == ["corpus_dir", "out", "fs"]
    assert all(parameter.default is not inspect.Parameter.empty for parameter in list(parameters.values())[2:])
