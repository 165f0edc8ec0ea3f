"""A made-up corpus of four voices, and an experiment trained on it, for every test that needs them."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch
from support import killed_process

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.option_file import kaldi_option_text
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.plan_mixtures import Config as PlanConfig
from zspex_toolkit.prepare.plan_mixtures import plan_data_dir
from zspex_toolkit.prepare.render_mixtures import Config as RenderConfig
from zspex_toolkit.prepare.render_mixtures import render_data_dir
from zspex_toolkit.signal.front_end import FrontEndConfig
from zspex_toolkit.signal.mfcc import Mfcc
from zspex_toolkit.signal.vad import energy_vad

# The same examples in every run, for as long as they take; ZSPEX_TEST_SEED asks for new ones.
hypothesis.settings.register_profile("same", derandomize="ZSPEX_TEST_SEED" not in os.environ, deadline=None)
hypothesis.settings.load_profile("same")

SPEAKERS = {"anna": "f", "bert": "m", "cleo": "f", "dave": "m"}
FS = 16000


def pytest_runtest_setup():
    """The same random numbers in a test and its fixtures, whatever ran before."""
    seed = int(os.environ.get("ZSPEX_TEST_SEED", 0))
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def write_voices(root: Path, name: str, utterances: range) -> Path:
    """A data directory ``root/data/name`` with one utterance of each voice per number."""
    wavs, utt2spk = {}, {}
    for spk, gender in SPEAKERS.items():
        for number in utterances:
            utt = f"{spk}-{number:02d}"
            path = root / "audio" / f"{utt}.wav"
            write_audio(path, synthetic_speech(spk, gender, utt, seconds=1.5, fs=FS, seed=0), FS)
            wavs[utt], utt2spk[utt] = str(path), spk
    write_data_dir(root / "data" / name, wavs=wavs, utt2spk=utt2spk)
    return root / "data" / name


def add_features(data: Path, front_end: FrontEndConfig | None = None) -> None:
    """What make_mfcc and compute_vad leave in a data directory, made in this process."""
    front_end = front_end or FrontEndConfig()
    mfcc = Mfcc(front_end.mfcc)
    directory = DataDir.load(data)
    feats, voiced = data / "data" / "feats", data / "data" / "vad"
    with (
        ArchiveWriter(f"{feats}.ark", data / "feats.scp") as feats_writer,
        ArchiveWriter(f"{voiced}.ark", data / "vad.scp") as voiced_writer,
    ):
        for utt in directory.utterances:
            frames, _ = mfcc(torch.from_numpy(directory.read_audio(utt)[0])[None])
            feats_writer[utt] = frames[0].numpy()
            voiced_writer[utt] = energy_vad(frames, config=front_end.vad)[0].float().numpy()
    (data / "conf").mkdir(exist_ok=True)
    (data / "conf" / "mfcc.conf").write_text(kaldi_option_text(front_end.mfcc))
    (data / "conf" / "vad.conf").write_text(kaldi_option_text(front_end.vad))


@pytest.fixture(scope="session")
def voices(tmp_path_factory) -> Path:
    """A folder with data/{train,test} of four voices and data/mix_{train,test}_snr0 of pairs of them, with features."""
    root = tmp_path_factory.mktemp("voices")
    for name, utterances in (("train", range(6)), ("test", range(6, 9))):
        source = write_voices(root, name, utterances)
        add_features(source)
        mixtures = root / "data" / f"mix_{name}_snr0"
        plan_data_dir(PlanConfig(source, mixtures, snr_db=(0.0,), seed=1))
        render_data_dir(RenderConfig(mixtures, source, root / "dump" / mixtures.name))
        add_features(mixtures)
    return root


@pytest.fixture(scope="session")
def experiment(voices) -> Path:
    """A folder with a small trained embedder, classifier and clean speakers, and the network demix_e2_snr0_concat2."""
    from zspex_toolkit.extract.embeddings import AverageConfig, ExtractConfig, average_embeddings, extract_embeddings
    from zspex_toolkit.tasks import classification, demixing, embedding
    from zspex_toolkit.train.config import TrainConfig

    torch.set_num_threads(1)
    exp = voices / "exp"
    quick = TrainConfig(num_epochs=16, batch_size=8)
    embedding.train_embedder(
        embedding.Config(
            voices / "data" / "train",
            exp / "embedder",
            network_options={"channels": 16, "pooled_channels": 24, "embedding_dim": 12},
            segment_frames=60,
            device="cpu",
            train=quick,
        )
    )
    given, segments = (exp / "embedder", voices / "data" / "train"), {"segment_frames": 60, "device": "cpu"}
    average_embeddings(AverageConfig(*given, exp / "clean", num_segments=20, **segments))
    extract_embeddings(ExtractConfig(*given, exp / "xvectors", segments_per_utterance=4, **segments))
    classification.train_classifier(
        classification.Config(
            exp / "xvectors", exp / "classifier", network_options={"hidden": 16}, device="cpu", train=quick
        )
    )
    demixing.train_demixers(
        demixing.Config(
            exp / "demix_e2_snr0",
            exp / "embedder",
            exp / "clean" / "spk_xvector.scp",
            data=(voices / "data" / "mix_train_snr0",),
            valid_data=(voices / "data" / "mix_test_snr0",),
            demixers=("concat2",),
            segment_frames=60,
            device="cpu",
            train=quick,
        )
    )
    return exp


@pytest.fixture
def killed_at_renaming(tmp_path_factory):
    """Run a program in a process of its own, which SIGKILL ends at its n-th ``os.replace``; 0: at none."""
    fork_server = multiprocessing.get_context("forkserver")
    fork_server.set_forkserver_preload(
        ["numpy", "zspex_toolkit.io.table_set", "zspex_toolkit.io.split", "zspex_toolkit.prepare.pack_audio"]
    )

    def run(number: int, program: str, *arguments: os.PathLike | str) -> bool:
        """Whether it was killed; otherwise it has ended well."""
        errors = tmp_path_factory.mktemp("renaming") / "errors"
        task = (number, program, [str(word) for word in arguments], str(errors))
        process = fork_server.Process(target=killed_process.run, args=task)
        process.start()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), errors.read_text()
        return process.exitcode != 0

    return run


@pytest.fixture(scope="session")
def noise():
    """Noise of so many samples, on the grid of 16-bit samples, within +-0.2."""

    def make(num_samples: int, seed: int = 0) -> np.ndarray:
        steps = np.random.default_rng(seed).integers(-6000, 6000, num_samples)
        return (steps / 32768).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def content():
    """Every file below a folder with its bytes: equal before and after where nothing may change."""

    def read(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    return read
