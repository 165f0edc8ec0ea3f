"""Sentences of our own from a small grammar: read by the ``mini`` voices, drawn with a seed, transcripts known."""

from __future__ import annotations

import numpy as np

WORDS = {
    "adjective": "old young quiet clever tired hungry gentle careful lonely cheerful nervous famous",
    "person": "sailor farmer teacher painter doctor baker singer driver gardener neighbour captain shepherd",
    "verb": "watches carries follows paints mends finds borrows hides washes describes measures forgets",
    "colour": "red blue yellow silver heavy narrow broken wooden round empty shiny dusty",
    "thing": "boat kettle ladder window basket candle bridge mirror pocket blanket hammer lantern",
}
PLACES = (
    "near the river",
    "behind the chapel",
    "under the table",
    "before the storm",
    "in the garden",
    "across the valley",
    "beside the fire",
    "after the market",
    "along the beach",
    "without a word",
    "at the corner",
    "during the summer",
)
FRAMES = (
    "the {adjective} {person} {verb} the {colour} {thing} {place}",
    "{place} a {adjective} {person} {verb} one {colour} {thing}",
    "every {adjective} {person} {verb} a {colour} {thing} {place}",
)


def draw_sentence(rng: np.random.Generator) -> str:
    """One sentence of about ten words, lower case, no punctuation (nine million different ones exist).

    >>> draw_sentence(np.random.default_rng(0))
    'every careful singer paints a silver boat near the river'
    """
    frame = str(rng.choice(FRAMES))
    words = {kind: rng.choice(choices.split()) for kind, choices in WORDS.items()}
    return frame.format(**words, place=rng.choice(PLACES))


def draw_sentences(rng: np.random.Generator, number: int) -> list[str]:
    """``number`` sentences, all different."""
    sentences: dict[str, None] = {}
    while len(sentences) < number:
        sentences[draw_sentence(rng)] = None
    return list(sentences)
