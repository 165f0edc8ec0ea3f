"""Sentences from a grammar of our own."""

import numpy as np

from zspex_toolkit.corpora._sentences import draw_sentences


def test_a_thousand_sentences_are_all_different_and_plain_words():
    sentences = draw_sentences(np.random.default_rng(0), 1000)
    assert len(set(sentences)) == 1000
    assert all(9 <= len(sentence.split()) <= 11 for sentence in sentences)
    assert {letter for sentence in sentences for letter in sentence} <= set(" abcdefghijklmnopqrstuvwxyz")


def test_a_longer_list_begins_with_the_shorter_one():
    assert draw_sentences(np.random.default_rng(3), 20)[:5] == draw_sentences(np.random.default_rng(3), 5)
