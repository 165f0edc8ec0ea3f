"""One command on a user's own recordings: what it writes, and what it says of recordings it cannot use."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.errors import AudioError, UserError
from zspex_toolkit.extract.clue_sources import read_clue
from zspex_toolkit.extract.demix import Config, Demixer, demix
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.models.extractors.spex_plus import SMALL, SpexPlus
from zspex_toolkit.score.mixtures import load_mixtures
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.signal.resample import resample
from zspex_toolkit.tasks.demixing import load_network


@pytest.fixture
def model(experiment, tmp_path):
    """The experiment alone, moved away from everything it was made from."""
    shutil.copytree(experiment / "demix_e2_snr0_concat2", tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def recordings(voices):
    data = DataDir.load(voices / "data" / "mix_test_snr0")
    name = data.utterances[0]
    clean = DataDir.load(voices / "data" / "train")
    known = [clean.wavs[utt] for utt in clean.spk2utt[data.table("utt2spk2")[name]][:2]]
    return name, data.wavs[name], known


def test_the_embedding_equals_that_of_scoring_with_the_same_known_embedding(model, experiment, recordings, voices):
    name, mixture, _ = recordings
    _, network = load_network(model)
    mixtures = load_mixtures(voices / "data" / "mix_test_snr0", FrontEndConfig(), "e2", "test")
    speakers, clean = read_embeddings(experiment / "clean" / "spk_xvector.scp")
    position = mixtures.names.index(name)
    known = clean[speakers.index(mixtures.known[position])]
    expected = network(mixtures.feats[position][None], None, known[None])[0].numpy()
    samples, _ = read_audio(mixture)
    np.testing.assert_allclose(Demixer(model, device="cpu").demix(samples, known.numpy()), expected, atol=1e-3)


def test_several_known_recordings_are_averaged(model, recordings, tmp_path):
    _, mixture, known = recordings
    demixer = Demixer(model, device="cpu")
    vectors = [demixer.embed_known(read_audio(path)[0]) for path in known]
    expected = demixer.demix(read_audio(mixture)[0], np.mean(vectors, axis=0))
    demix(Config(model, mixture, known, tmp_path / "e.npy", device="cpu"))
    np.testing.assert_allclose(np.load(tmp_path / "e.npy", allow_pickle=False), expected, rtol=1e-5, atol=1e-6)


def test_a_de_mixed_embedding_tells_an_extractor_whom_to_extract(model, recordings, tmp_path):
    _, mixture, known = recordings
    demix(Config(model, mixture, known, tmp_path / "e.npy", device="cpu"))
    torch.manual_seed(0)
    spec = SimpleNamespace(fs=16000, presence=None)
    extractor = Extractor(spec, SpexPlus(3, **SMALL["given"] | {"clue_dim": 12}).eval(), "cpu")
    samples = read_audio(mixture)[0]
    voice = extractor.extract(samples, clue=read_clue(extractor, f"{tmp_path}/e.npy"))
    assert len(voice) == len(samples) and voice.any()


def test_enrolled_speakers_are_ranked_by_cosine(model, recordings, experiment, tmp_path, capsys):
    _, mixture, known = recordings
    scp = experiment / "clean" / "spk_xvector.scp"
    demix(Config(model, mixture, known, tmp_path / "e.npy", identify=scp, top=3, device="cpu"))
    other = np.load(tmp_path / "e.npy")
    speakers, clean = read_embeddings(scp)
    cosines = (clean.numpy() @ other) / np.linalg.norm(clean.numpy(), axis=1) / np.linalg.norm(other)
    best = np.argsort(-cosines)[:3]
    expected = [f"{rank}\t{speakers[i]}\t{cosines[i]:.4f}" for rank, i in enumerate(best, start=1)]
    assert capsys.readouterr().out.splitlines()[1:] == expected


def test_another_rate_is_resampled_and_said(model, recordings, tmp_path, capsys):
    _, mixture, known = recordings
    samples, fs = read_audio(mixture)
    write_audio(tmp_path / "cd.wav", resample(samples, fs, 44100).clip(-1, 1), 44100)
    demix(Config(model, str(tmp_path / "cd.wav"), known, tmp_path / "e.npy", device="cpu"))
    assert f"{tmp_path}/cd.wav: resampled from 44100 Hz to the model's 16000 Hz" in capsys.readouterr().out
    demix(Config(model, mixture, known, tmp_path / "f.npy", device="cpu"))
    e, f = np.load(tmp_path / "e.npy"), np.load(tmp_path / "f.npy")
    assert e @ f / np.linalg.norm(e) / np.linalg.norm(f) > 0.95


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(16000), "silent: every sample is zero"),
        (np.full(100, 0.1), "too short: expected at least 400 samples at 16000 Hz, found 100"),
    ],
)
def test_a_useless_recording_is_named_and_what_was_there_stays(model, recordings, tmp_path, samples, message):
    _, mixture, known = recordings
    write_audio(tmp_path / "bad.wav", samples, 16000)
    (tmp_path / "e.npy").write_bytes(b"earlier")
    for arguments in ((str(tmp_path / "bad.wav"), known), (mixture, [str(tmp_path / "bad.wav")])):
        with pytest.raises(AudioError) as error:
            demix(Config(model, *arguments, tmp_path / "e.npy", device="cpu"))
        assert str(error.value) == f"{tmp_path}/bad.wav: {message}"
    assert (tmp_path / "e.npy").read_bytes() == b"earlier"


def test_embeddings_of_another_size_cannot_be_ranked(model, recordings, tmp_path):
    from zspex_toolkit.io.archive import ArchiveWriter

    with ArchiveWriter(tmp_path / "e.ark", tmp_path / "e.scp") as writer:
        writer["anna"] = np.zeros(5, np.float32)
    _, mixture, known = recordings
    with pytest.raises(UserError, match=r"e\.scp: expected embeddings of 12 numbers, found 5"):
        demix(Config(model, mixture, known, tmp_path / "e.npy", identify=tmp_path / "e.scp", device="cpu"))
