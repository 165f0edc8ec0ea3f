"""Embeddings are read with their speakers, and a table that does not fit is named."""

import numpy as np
import pytest

from zspex_toolkit.data.embeddings import EmbeddingTable, LabelledEmbeddings, read_embeddings
from zspex_toolkit.errors import DataDirError
from zspex_toolkit.io.archive import ArchiveWriter


def write(folder, vectors):
    with ArchiveWriter(folder / "xvector.ark", folder / "xvector.scp") as writer:
        for key, vector in vectors.items():
            writer[key] = np.array(vector, np.float32)


def test_labels_number_the_sorted_speakers(tmp_path):
    write(tmp_path, {"b-1": [1, 2], "c-1": [3, 4]})
    (tmp_path / "utt2spk").write_text("b-1 b\nc-1 a\n")
    items = LabelledEmbeddings(tmp_path)
    batch = items.collate([items.get(0, 0), items.get(0, 1)])
    assert items.speakers == ("a", "b") and items.embedding_dim == 2
    assert batch["speaker"].tolist() == [1, 0] and batch["embedding"].tolist() == [[1, 2], [3, 4]]


def test_an_embedding_without_a_speaker_is_named(tmp_path):
    write(tmp_path, {"b-1": [1, 2]})
    (tmp_path / "utt2spk").write_text("a-1 a\n")
    with pytest.raises(DataDirError, match=r"utt2spk: no line for 'b-1' of xvector\.scp"):
        LabelledEmbeddings(tmp_path)


def test_embeddings_of_several_sizes_are_refused(tmp_path):
    write(tmp_path, {"a": [1, 2], "b": [1, 2, 3]})
    with pytest.raises(DataDirError, match=r"'b': expected a vector of 2, found shape \(3,\)"):
        read_embeddings(tmp_path / "xvector.scp")


def test_a_table_of_clues_gives_the_mean_of_some(tmp_path):
    write(tmp_path, {"a": [1, 2], "b": [3, 6], "c": [9, 9]})
    assert EmbeddingTable(tmp_path / "xvector.scp", ["b", "a"], 2).mean(["a", "b"]).tolist() == [2, 4]


def test_a_clue_that_is_missing_or_of_another_size_is_named(tmp_path):
    write(tmp_path, {"a": [1, 2], "b": [3, 6, 7]})
    with pytest.raises(DataDirError, match=r"xvector\.scp: no line for 'c'"):
        EmbeddingTable(tmp_path / "xvector.scp", ["a", "c"], 2)
    with pytest.raises(DataDirError, match=r"xvector\.scp: 'b': expected 2 numbers \(clue_dim\), found shape \(3,\)"):
        EmbeddingTable(tmp_path / "xvector.scp", ["a", "b"], 2)
