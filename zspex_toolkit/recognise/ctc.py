"""Tokens from the log probabilities of CTC: the best path, and the best token sequence by prefix beam search."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BLANK = 0
_NEVER = -math.inf


@dataclass(frozen=True)
class Hypothesis:
    """Tokens, and the log probability of all alignments that give them (of the best path alone, if greedy)."""

    tokens: tuple[int, ...]
    log_prob: float


def greedy(log_probs: np.ndarray) -> Hypothesis:
    """The most likely token of each frame, repeats and blanks removed.

    Args:
        log_probs: (L, V); token 0 is the blank.

    >>> greedy(np.log([[0.2, 0.8], [0.1, 0.9], [0.9, 0.1], [0.3, 0.7]])).tokens
    (1, 1)
    """
    best = log_probs.argmax(axis=1)
    kept = (best != _BLANK) & np.concatenate([[True], best[1:] != best[:-1]])[: len(best)]
    return Hypothesis(tuple(best[kept].tolist()), float(log_probs.max(axis=1).sum()))


def prefix_beam_search(log_probs: np.ndarray, *, beam: int = 8, tokens_per_frame: int = 20) -> list[Hypothesis]:
    """The most likely token sequences, all alignments of each taken together, best first.

    With a beam that holds every prefix the probabilities are exact.

    Args:
        log_probs: (L, V); token 0 is the blank.
        beam: prefixes that are kept from frame to frame.
        tokens_per_frame: the most likely tokens of a frame; others do not lengthen a prefix.

    Raises:
        ValueError: if ``beam`` or ``tokens_per_frame`` is not positive.

    Reference: Hannun et al., "First-pass large vocabulary continuous speech recognition using bi-directional recurrent
    DNNs", 2014, Algorithm 1, without a language model.
    """
    if beam < 1 or tokens_per_frame < 1:
        raise ValueError(f"expected a beam and tokens_per_frame of at least 1, got {beam} and {tokens_per_frame}")
    # prefix: log probability of its alignments that end in a blank, and in its last token
    prefixes = {(): (0.0, _NEVER)}
    for frame in log_probs:
        likely = _likely(frame, tokens_per_frame)
        grown: dict[tuple[int, ...], tuple[float, float]] = {}
        for prefix, (in_blank, in_token) in prefixes.items():
            either = _add(in_blank, in_token)
            _put(grown, prefix, in_blank=either + frame[_BLANK])
            if prefix:
                _put(grown, prefix, in_token=in_token + frame[prefix[-1]])
            for token in likely:
                # a token is only told from the same one before it by a blank
                before = in_blank if prefix and token == prefix[-1] else either
                _put(grown, (*prefix, token), in_token=before + frame[token])
        best = heapq.nlargest(beam, grown.items(), key=lambda entry: (_add(*entry[1]), entry[0]))
        prefixes = dict(best)
    return [Hypothesis(prefix, float(_add(*both))) for prefix, both in prefixes.items()]


def _likely(frame: np.ndarray, number: int) -> Sequence[int]:
    number = min(number, len(frame))
    best = np.argpartition(-frame, number - 1)[:number]
    return [int(token) for token in best if token != _BLANK]


def _put(
    grown: dict[tuple[int, ...], tuple[float, float]],
    prefix: tuple[int, ...],
    *,
    in_blank: float = _NEVER,
    in_token: float = _NEVER,
) -> None:
    blank, token = grown.get(prefix, (_NEVER, _NEVER))
    grown[prefix] = (_add(blank, in_blank), _add(token, in_token))


def _add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == _NEVER else a + math.log1p(math.exp(b - a))


def align(log_probs: np.ndarray, tokens: Sequence[int]) -> list[tuple[int, int]]:
    """First and last frame of each token on the most likely path that gives ``tokens``.

    Args:
        log_probs: (L, V); token 0 is the blank.
        tokens: to place, none of them 0.

    Raises:
        ValueError: if there are fewer frames than the tokens need.

    >>> align(np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]]), [1, 2])
    [(1, 2), (3, 3)]
    """
    if not len(tokens):
        return []
    states = np.full(2 * len(tokens) + 1, _BLANK)
    states[1::2] = tokens
    skips = np.zeros(len(states), dtype=bool)  # from the token before, over the blank between
    skips[2:] = (states[2:] != _BLANK) & (states[2:] != states[:-2])
    if not len(log_probs):
        raise _too_few_frames(tokens, log_probs)
    score = np.full(len(states), _NEVER)
    score[:2] = log_probs[0, states[:2]]
    steps = np.zeros((len(log_probs), len(states)), dtype=np.int8)
    for number, frame in enumerate(log_probs[1:], start=1):
        from_before = np.concatenate([[_NEVER], score[:-1]])
        from_skip = np.where(skips, np.concatenate([[_NEVER, _NEVER], score[:-2]]), _NEVER)
        candidates = np.stack([score, from_before, from_skip])
        steps[number] = candidates.argmax(axis=0)
        score = candidates.max(axis=0) + frame[states]
    state = len(states) - 1 - int(score[-2] > score[-1])
    if score[state] == _NEVER:
        raise _too_few_frames(tokens, log_probs)
    frames: list[list[int]] = [[] for _ in tokens]
    for number in range(len(log_probs) - 1, -1, -1):
        if state % 2:
            frames[state // 2].append(number)
        state -= int(steps[number, state])
    return [(some[-1], some[0]) for some in frames]


def _too_few_frames(tokens: Sequence[int], log_probs: np.ndarray) -> ValueError:
    return ValueError(f"expected at least as many frames as the {len(tokens)} tokens need, got {len(log_probs)}")
