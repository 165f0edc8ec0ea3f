"""Any corpus by its name, with options of the right types."""

import pytest

from zspex_toolkit.corpora._prepare import make_fake_corpus, prepare_corpus
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.data_dir import DataDir


@pytest.mark.parametrize("keep_sa", [True, "true"])
def test_options_may_be_strings(fake_tree_of, tmp_path, keep_sa):
    (out,) = prepare_corpus("timit", fake_tree_of("timit"), tmp_path, options={"keep_sa": keep_sa})
    assert len(DataDir.load(out).utterances) == 80


@pytest.mark.parametrize("speakers", ["0001,0003", "0001 0003", ["0001", "0003"]])
def test_lists_of_speakers_keep_their_zeros(fake_tree_of, tmp_path, speakers):
    (out,) = prepare_corpus(
        "speechocean762", fake_tree_of("speechocean762"), tmp_path, options={"exclude_speakers": speakers}
    )
    assert {"0001", "0003"} & set(DataDir.load(out).spk2utt) == set()


def test_the_root_may_come_from_the_variable(fake_tree_of, tmp_path, monkeypatch):
    monkeypatch.setenv("TIMIT", str(fake_tree_of("timit")))
    assert prepare_corpus("timit", None, tmp_path) == [tmp_path / "all"]


@pytest.mark.parametrize(
    ("corpus", "options", "message"),
    [
        ("timid", {}, "unknown name 'timid' in corpora; did you mean 'timit'?"),
        ("timit", {"keep_as": True}, "timit --options: unknown setting keep_as; did you mean keep_sa?"),
        ("timit", {"keep_sa": "perhaps"}, "timit --options.keep_sa: expected true or false, got 'perhaps'"),
        ("mini", {"num_speakers": "many"}, "mini --options.num_speakers: expected a whole number, got 'many'"),
        ("timit", {"fs": 8000}, "timit: fs is no option of the corpus; give it as --fs"),
    ],
)
def test_a_wrong_name_or_value_is_one_clear_line(fake_tree_of, tmp_path, corpus, options, message):
    with pytest.raises(ConfigError) as error:
        prepare_corpus(corpus, fake_tree_of("timit"), tmp_path / "data", options=options)
    assert str(error.value) == message
    assert not (tmp_path / "data").exists()


def test_a_fake_corpus_never_goes_over_something_else(tmp_path):
    (tmp_path / "thesis.tex").write_text("three years of work\n")
    with pytest.raises(ConfigError, match=r"expected a new or empty folder for the fake corpus; it stays as it is$"):
        make_fake_corpus("voxceleb", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
