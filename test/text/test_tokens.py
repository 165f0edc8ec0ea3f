import pytest

from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.text.tokens import UNKNOWN, Config, Tokens, keep_with, train_tokens

pytest.importorskip("sentencepiece")
SENTENCES = ["the old sailor watches the red boat", "a baker paints one ladder", "every singer finds the round mirror"]


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "text").write_text("".join(f"u{i} {s}\n" for i, s in enumerate(SENTENCES * 5, start=10)))
    return folder


@pytest.mark.parametrize("kind", ["unigram", "bpe", "char"])
def test_tokens_give_the_text_back(data, tmp_path, kind):
    tokens = train_tokens(Config(data, tmp_path / "t.model", kind, vocabulary=40))
    for sentence in SENTENCES:
        numbers = tokens.encode(sentence.upper())
        assert UNKNOWN not in numbers and max(numbers) < len(tokens)
        assert tokens.decode(numbers) == sentence.upper()


def test_one_token_for_each_character(data, tmp_path):
    tokens = train_tokens(Config(data, tmp_path / "t.model", "char"))
    characters = set("".join(SENTENCES).upper())
    assert set(tokens.pieces) == {"<unk>", "\u2581"} | (characters - {" "})


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_vocabulary_is_capped_to_what_the_text_allows(data, tmp_path, capsys, kind):
    tokens = train_tokens(Config(data, tmp_path / "t.model", kind, vocabulary=5000))
    assert 20 < len(tokens) < 5000
    line = capsys.readouterr().out
    assert f"{len(tokens)} tokens of the 5000 asked for" in line and "the text allows no more" in line
    assert line.count("\n") == 1


def test_training_twice_gives_the_same_file(data, tmp_path):
    for name in ("a", "b"):
        train_tokens(Config(data, tmp_path / name, vocabulary=40))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_fewer_tokens_than_characters_are_refused(data, tmp_path):
    with pytest.raises(ConfigError, match=r"vocabulary: expected at least .* got 5"):
        train_tokens(Config(data, tmp_path / "t.model", vocabulary=5))
    assert not (tmp_path / "t.model").exists()


def test_an_unknown_kind_is_refused(data, tmp_path):
    with pytest.raises(ConfigError, match="kind: expected one of unigram, bpe, char, got 'word'"):
        train_tokens(Config(data, tmp_path / "t.model", "word"))


def test_a_text_with_the_blank_of_sentencepiece_is_refused(tmp_path):
    (tmp_path / "text").write_text("a \u2581\n")
    with pytest.raises(DataDirError):
        train_tokens(Config(tmp_path, tmp_path / "t.model"))


def test_characters_without_a_token_are_named(data, tmp_path):
    tokens = train_tokens(Config(data, tmp_path / "t.model", vocabulary=40))
    assert tokens.unknown_characters("BOAT \u00c4\u00d6") == "\u00c4\u00d6"
    assert tokens.unknown_characters("BOAT") == ""


def test_what_is_no_token_model_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        Tokens(tmp_path / "t.model")
    (tmp_path / "t.model").write_bytes(b"words")
    with pytest.raises(UserError, match="no token model of sentencepiece"):
        Tokens(tmp_path / "t.model")


def test_an_experiment_keeps_its_tokens(data, tmp_path):
    tokens = train_tokens(Config(data, tmp_path / "t.model", vocabulary=40))
    keep_with(tmp_path / "exp", tokens)
    keep_with(tmp_path / "exp", tokens)
    assert Tokens(tmp_path / "exp" / "tokens.model").pieces == tokens.pieces
    with pytest.raises(ConfigError, match="another token model"):
        keep_with(tmp_path / "exp", train_tokens(Config(data, tmp_path / "other.model", "char")))
