"""Clues of recordings, from files and from other networks: what fits is taken, what does not is one line."""

import numpy as np
import pytest
import torch
from support.filter_extractor import FS, FilterExtractor, low_noise, spec

from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.clue_sources import clue_of, fingerprint, read_clue, read_embedding
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.models.extractors.spex_plus import SMALL, SpexPlus

VECTOR = np.arange(7, dtype=np.float32)


@pytest.fixture
def told():
    """An extractor that takes embeddings of 7 numbers."""
    torch.manual_seed(0)
    return Extractor(spec(), SpexPlus(3, **SMALL["given"]).eval(), "cpu")


@pytest.fixture
def own():
    """An extractor that makes its own clues."""
    return Extractor(spec(), FilterExtractor(), "cpu")


@pytest.fixture
def places(tmp_path):
    """Where the same vector lies: in a file of numpy, in an archive, and behind a key of its script."""
    np.save(tmp_path / "e.npy", VECTOR.astype(np.float64))
    with ArchiveWriter(tmp_path / "e.ark", tmp_path / "e.scp") as writer:
        writer["ann"] = VECTOR
    return [f"{tmp_path}/e.npy", f"{tmp_path}/e.ark:4", f"{tmp_path}/e.scp:ann"]


def test_an_embedding_is_read_from_a_numpy_file_an_archive_and_a_script(told, places):
    for place in places:
        assert np.array_equal(read_embedding(place), VECTOR) and read_embedding(place).dtype == np.float32
        assert torch.equal(clue_of(told, [f"clue:{place}"]).embedding[0], torch.from_numpy(VECTOR))


def test_an_embedding_tells_whom_to_extract(told, places):
    mixture = low_noise(FS)
    told.network.requires_grad_(False)
    expected = told.network.extract(torch.from_numpy(mixture - mixture.mean())[None], Clue(torch.tensor(VECTOR)[None]))
    voice = told.extract(mixture, clue=read_clue(told, places[0]), normalize_output="none")
    np.testing.assert_allclose(voice, (expected - expected.mean())[0], atol=1e-5 * float(expected.abs().max()))


def test_several_embeddings_are_joined(told, tmp_path, places):
    np.save(tmp_path / "other.npy", 3 * VECTOR)
    assert torch.equal(
        clue_of(told, [f"clue:{tmp_path}/other.npy", f"clue:{places[1]}"]).embedding[0], 2 * torch.tensor(VECTOR)
    )


def test_a_file_of_clues_stands_beside_recordings(own, tmp_path):
    one, other = low_noise(FS), low_noise(FS, 3, low=1500, high=3000)
    for name, samples in (("one", one), ("other", other)):
        write_audio(tmp_path / f"{name}.wav", samples, FS)
    clue_of(own, [f"{tmp_path}/one.wav"]).save(tmp_path / "one.clue", made_by=fingerprint(own.network))
    both = clue_of(own, [f"clue:{tmp_path}/one.clue", f"{tmp_path}/other.wav"])
    torch.testing.assert_close(both.embedding, own.enroll([one, other]).embedding, atol=1e-3, rtol=0)


def test_the_fingerprint_changes_with_a_weight():
    networks = [SpexPlus(3, **SMALL["plain"]) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    assert fingerprint(networks[0]) == fingerprint(networks[1])
    networks[1].decoder.filters[0].bias.data += 1e-6
    assert fingerprint(networks[0]) != fingerprint(networks[1])


def test_a_clue_of_another_model_is_refused(own, tmp_path):
    own.enroll(low_noise(FS)).save(tmp_path / "it.clue", made_by="0123456789abcdef")
    with pytest.raises(UserError, match=r"it\.clue: a clue of another model; enroll again, with this one"):
        read_clue(own, f"{tmp_path}/it.clue")


def test_the_clues_of_several_speakers_are_refused(told, tmp_path):
    Clue(torch.zeros(2, 7)).save(tmp_path / "it.clue")
    with pytest.raises(UserError, match=r"it\.clue: expected the clue of one speaker, found 2"):
        read_clue(told, f"{tmp_path}/it.clue")


def test_an_embedding_for_a_network_with_clues_of_its_own_is_refused(own, places):
    with pytest.raises(UserError, match=r"e\.npy: this model makes its own clues, of recordings; give --enrollment"):
        read_clue(own, places[0])


def test_a_network_that_takes_embeddings_takes_no_recordings(told, tmp_path):
    write_audio(tmp_path / "me.wav", low_noise(FS), FS)
    with pytest.raises(UserError, match=r"makes no clue of recordings; give it embeddings of 7 numbers \(--clue\)"):
        clue_of(told, [f"{tmp_path}/me.wav"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros(6), r"e\.npy: expected an embedding of 7 numbers, as the model takes, found 6"),
        (np.zeros((1, 7)), r"e\.npy: expected one vector of finite numbers, found float64 \(1, 7\)"),
        (np.full(7, np.nan), r"e\.npy: expected one vector of finite numbers"),
        (np.array([{}]), r"e\.npy: no array of numbers \(Object arrays cannot be loaded"),
    ],
)
def test_what_is_no_embedding_is_one_line(told, tmp_path, content, message):
    np.save(tmp_path / "e.npy", content)
    with pytest.raises(UserError, match=message):
        read_clue(told, f"{tmp_path}/e.npy")


def test_what_is_not_there_is_named(told, places, tmp_path):
    for place, message in (
        (f"{tmp_path}/no.npy", r"no\.npy: no array of numbers \(.*No such file"),
        (f"{tmp_path}/e.scp:bob", r"e\.scp: no line for 'bob'"),
        (f"{tmp_path}/e.ark:9999", r"e\.ark:9999: no array here"),
        (f"{tmp_path}/no.clue", r"no\.clue: no such file"),
    ):
        with pytest.raises(UserError, match=message):
            read_clue(told, place)
