"""Tokens of a speech recogniser: pieces of words by sentencepiece, trained on the transcripts of the training set."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from zspex_toolkit.errors import ConfigError, DataDirError, UserError
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.table import sorted_keys
from zspex_toolkit.text.normalise import read_transcripts

KINDS = ("unigram", "bpe", "char")
UNKNOWN = 0  # number of the piece that stands for characters not seen in training; it is also CTC's blank
TOKEN_FILE = "tokens.model"  # beside the weights of a recogniser
_PIECES_BESIDE_CHARACTERS = 1  # <unk>


@dataclass(frozen=True)
class Config:
    """Settings of train_tokens."""

    data: Path  # data directory of the training utterances, with text
    out: Path  # token model to write, such as exp/tokens.model
    kind: str = "unigram"  # unigram, bpe or char
    vocabulary: int = 500  # tokens at most; fewer where the text allows no more; char: as many as there are characters


class Tokens:
    """A trained token model: normal text to token numbers and back.

    Number 0 is ``<unk>``, which no text of known characters holds: recognisers use its place for CTC's blank.

    Args:
        path: file written by :func:`train_tokens`.

    Raises:
        UserError: if the file is missing or no token model.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not self.path.is_file():
            raise UserError(f"{path}: no such file; expected a token model, which train_tokens writes")
        self._model = _sentencepiece().SentencePieceProcessor()
        try:
            self._model.LoadFromSerializedProto(self.path.read_bytes())
        except RuntimeError as error:
            raise UserError(f"{path}: no token model of sentencepiece; train it again by train_tokens") from error

    def __len__(self) -> int:
        return self._model.GetPieceSize()

    @property
    def pieces(self) -> list[str]:
        """All tokens in the order of their numbers; one that begins a word has "\u2581" in front."""
        return [self._model.IdToPiece(number) for number in range(len(self))]

    def encode(self, text: str) -> list[int]:
        """Token numbers of normal text."""
        return self._model.EncodeAsIds(text)

    def decode(self, numbers: Sequence[int]) -> str:
        """Text of token numbers."""
        return self._model.DecodeIds([int(number) for number in numbers])

    def unknown_characters(self, text: str) -> str:
        """The characters of ``text`` that no token has, each once."""
        if UNKNOWN not in self.encode(text):
            return ""
        return "".join(c for c in sorted(set(text)) if UNKNOWN in self.encode(c))

    def check_same(self, other: Tokens) -> None:
        """Refuse another token model than this one.

        Raises:
            ConfigError: naming both files.
        """
        if self.pieces != other.pieces:
            raise ConfigError(
                f"{other.path}: expected the tokens that the recogniser was trained with, {self.path} with "
                f"{len(self)}, found another token model with {len(other)}"
            )


def train_tokens(config: Config) -> Tokens:
    """Train a token model on the transcripts of a data directory and write it.

    The vocabulary is made as large as asked for, or as the text allows; a line says which.

    Raises:
        ConfigError: for an unknown kind, or fewer tokens than characters.
        DataDirError: if there is no text, or no words in it.
    """
    if config.kind not in KINDS:
        raise ConfigError(f"kind: expected one of {', '.join(KINDS)}, got '{config.kind}'")
    transcripts = read_transcripts(config.data / "text")
    sentences = [transcripts[utt] for utt in sorted_keys(transcripts) if transcripts[utt]]
    characters = set("".join(sentences)) | {" "}
    fewest = len(characters) + _PIECES_BESIDE_CHARACTERS
    if config.kind != "char" and config.vocabulary < fewest:
        raise ConfigError(
            f"vocabulary: expected at least {fewest}, one token for each of the {len(characters)} characters of "
            f"{config.data}/text and one for all others, got {config.vocabulary}"
        )
    if "\u2581" in characters:
        raise DataDirError(f"{config.data}/text: holds the character '\u2581', which sentencepiece uses for a blank")
    size = fewest if config.kind == "char" else min(config.vocabulary, fewest + _most_merges(sentences))
    model = _train(sentences, config.kind, size, fewest)
    with atomic_path(config.out) as temporary:
        temporary.write_bytes(model)
    tokens = Tokens(config.out)
    is_capped = config.kind != "char" and len(tokens) < config.vocabulary
    capped = f" of the {config.vocabulary} asked for" if is_capped else ""
    reason = ": the text allows no more" if is_capped else ""
    print(f"{config.out}: {len(tokens)} tokens{capped} ({config.kind}) from {len(sentences):,} transcripts{reason}")
    return tokens


def keep_with(exp_dir: Path, tokens: Tokens) -> None:
    """Copy the token model into the folder of an experiment, as :data:`TOKEN_FILE`.

    Raises:
        ConfigError: if another one is there, of a training that was begun.
    """
    there = exp_dir / TOKEN_FILE
    if there.exists():
        return Tokens(there).check_same(tokens)
    with atomic_path(there) as temporary:
        shutil.copyfile(tokens.path, temporary)


def _most_merges(sentences: Iterable[str]) -> int:
    """Tokens longer than a character that there can be: all parts of all words, at most."""
    words = {f"\u2581{word}" for sentence in sentences for word in sentence.split()}
    parts = Counter(word[i:j] for word in words for i in range(len(word)) for j in range(i + 2, len(word) + 1))
    return len(parts)


def _train(sentences: list[str], kind: str, size: int, fewest: int) -> bytes:
    """The model, as large as the text allows.

    Raises:
        UserError: if sentencepiece cannot train on this text at all.
    """
    library = _sentencepiece()
    while True:
        model = io.BytesIO()
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                library.SentencePieceTrainer.Train(
                    sentence_iterator=iter(sentences),
                    model_writer=model,
                    model_type=kind,
                    vocab_size=size,
                    character_coverage=1.0,
                    normalization_rule_name="identity",  # the text is normal already
                    add_dummy_prefix=True,
                    unk_id=UNKNOWN,
                    bos_id=-1,
                    eos_id=-1,
                    pad_id=-1,
                    max_sentence_length=1 << 20,
                    num_threads=1,
                    minloglevel=3,
                )
        except RuntimeError as error:
            message = str(error)
            smaller = re.search(r"<= ?(\d+)", message)
            if smaller and fewest <= int(smaller[1]) < size:
                size = int(smaller[1])
                continue
            if size > fewest:
                size = max(fewest, size * 9 // 10)
                continue
            raise UserError(f"sentencepiece cannot train on this text: {' '.join(message.split())[-200:]}") from error
        return model.getvalue()


def _sentencepiece() -> ModuleType:
    """Loaded when needed: only recognisers do.

    Raises:
        UserError: if the package is missing.
    """
    try:
        import sentencepiece
    except ImportError as error:
        raise UserError(
            "speech recognition needs the Python package sentencepiece: install it (pip install 'zspex_toolkit[asr]')"
        ) from error
    return sentencepiece
