"""Fake trees, each laid out once for all tests that only read them."""

import shutil
from pathlib import Path

import pytest

from zspex_toolkit import registry


@pytest.fixture(scope="session")
def fake_tree_of(tmp_path_factory):
    """``fake_tree_of(corpus)``: the root of a fake tree; copy it before spoiling it."""
    roots = {}

    def root_of(corpus: str):
        if corpus not in roots:
            roots[corpus] = tmp_path_factory.mktemp(corpus) / "corpus"
            registry.load_module("corpora", corpus).fake_tree(roots[corpus])
        return roots[corpus]

    return root_of


@pytest.fixture
def root(request, fake_tree_of, tmp_path):
    """A copy to spoil, of the corpus that the test file is named after."""
    corpus = request.module.__name__.rpartition("test_")[2]
    return Path(shutil.copytree(fake_tree_of(corpus), tmp_path / "corpus"))
