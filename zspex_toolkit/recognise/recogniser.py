"""A trained speech recogniser: waveforms to words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.recognise.ctc import align, greedy, prefix_beam_search
from zspex_toolkit.tasks.recognition import load_recogniser
from zspex_toolkit.train.device import resolve_device

WORD_START = "\u2581"


class Word(NamedTuple):
    """A recognised word and when it was said, in seconds from the start."""

    word: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class DecodeConfig:
    """How words are searched."""

    beam: int = 8  # prefixes of the search; 1: the most likely token of each frame
    tokens_per_frame: int = 20  # the most likely tokens of a frame that the search looks at

    def __post_init__(self):
        for name in ("beam", "tokens_per_frame"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}: expected 1 or more, got {getattr(self, name)}")


class Recogniser:
    """Words of waveforms, by the recogniser of an experiment.

    Args:
        exp_dir: folder of a trained recogniser.
        decode: how words are searched.
        device: auto, cpu or cuda:N.

    Attributes:
        fs: rate of the waveforms in Hz.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """

    def __init__(
        self,
        exp_dir: str | PathLike,
        *,
        decode: DecodeConfig = DecodeConfig(),
        device: str = "auto",
    ):
        spec, self.tokens, network = load_recogniser(Path(exp_dir))
        self.fs = spec.fs
        self._device, self._decode = resolve_device(device), decode
        self._network = network.to(self._device)

    def transcribe(self, waveforms: Sequence[np.ndarray]) -> list[str]:
        """Words of each waveform (T,) in [-1, 1] at ``fs``, in normal form; empty where no word is heard."""
        return [self.tokens.decode(self._search(scores)) for scores in self._scores(waveforms)]

    def words(self, waveform: np.ndarray) -> list[Word]:
        """Words of a waveform (T,), each with its time, by alignment of the found tokens.

        A token of CTC lies where the network is surest of it, so the times are of the heart of a word, true to a tenth
        of a second or two.
        """
        (scores,) = self._scores([waveform])
        numbers = self._search(scores)
        places = align(scores, numbers)
        shift = self._network.output_shift_s()
        pieces = self.tokens.pieces
        words: list[Word] = []
        begins = True
        for number, (first, last) in zip(numbers, places, strict=True):
            piece = pieces[number]
            begins = begins or piece.startswith(WORD_START)
            piece = piece.removeprefix(WORD_START)
            if piece and begins:
                words.append(Word(piece, first * shift, (last + 1) * shift))
                begins = False
            elif piece:
                words[-1] = Word(words[-1].word + piece, words[-1].start_s, (last + 1) * shift)
        return words

    def _search(self, scores: np.ndarray) -> Sequence[int]:
        if self._decode.beam == 1:
            return greedy(scores).tokens
        how = {"beam": self._decode.beam, "tokens_per_frame": self._decode.tokens_per_frame}
        return prefix_beam_search(scores, **how)[0].tokens

    @torch.inference_mode()
    def _scores(self, waveforms: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """(L, V) log probabilities of each; L may be 0."""
        filled = [torch.as_tensor(waveform, dtype=torch.float32) for waveform in waveforms]
        num_samples = torch.tensor([len(waveform) for waveform in filled])
        least = self._network.front_end.config.framing.frame_shift  # a batch of nothing but empty rows has no frames
        batch = torch.nn.utils.rnn.pad_sequence(filled, batch_first=True)
        batch = torch.nn.functional.pad(batch, (0, max(0, least - batch.shape[1])))
        found = self._network(batch.to(self._device), num_samples.clamp(min=least).to(self._device))
        rows = found.log_probs.double().cpu().numpy()
        for row, samples in zip(rows, num_samples.tolist(), strict=True):
            yield row[: self._network.num_output_frames(samples)]
