"""Make clues to keep: of recordings, by an extractor or by an x-vector network; one, or those of all trials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from zspex_toolkit.data.extraction_trials import ENROLLMENT, GIVEN_CLUE
from zspex_toolkit.errors import AudioError, ConfigError
from zspex_toolkit.extract.clue_sources import fingerprint
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.recording import enroll_recordings, to_stderr
from zspex_toolkit.io.archive import ArchiveWriter
from zspex_toolkit.io.audio import read_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.models.clue import Clue, mean_embedding
from zspex_toolkit.signal.front_end import FrontEnd
from zspex_toolkit.signal.resample import resample
from zspex_toolkit.tasks.embedding import load_embedder
from zspex_toolkit.train.device import resolve_device


class XvectorEnroller:
    """Clues by a trained embedder, for extractors that take its embeddings.

    Args:
        embedder: its experiment.
        device: auto, cpu or cuda:N.

    Raises:
        UserError: if the experiment is missing, unfinished or broken.
    """

    def __init__(self, embedder: Path, device: str = "auto"):
        spec, network = load_embedder(embedder)
        self._device = resolve_device(device)
        self._network = network.to(self._device)
        self._front_end = FrontEnd(spec.front_end)
        self.fs: int = spec.front_end.mfcc.fs

    @torch.inference_mode()
    def enroll(self, source: str, *, say: Callable[[str], None] = to_stderr) -> Clue:
        """The x-vector of a recording, as a clue of one row on the CPU; another rate is resampled, and said.

        Raises:
            AudioError: if it is missing, broken, silent or shorter than one frame.
        """
        samples, fs = read_audio(source)
        if fs != self.fs:
            say(f"{source}: resampled from {fs} Hz to the model's {self.fs} Hz")
            samples = resample(samples, fs, self.fs)
        if not np.ptp(samples) > 0:
            raise AudioError(f"{source}: silent: no speech to know the speaker by")
        shortest = self._front_end.config.mfcc.frame_length
        if len(samples) < shortest:
            raise AudioError(f"{source}: expected at least {shortest} samples at {self.fs} Hz, found {len(samples)}")
        feats, _ = self._front_end(torch.from_numpy(samples)[None])
        return Clue(self._network(feats.to(self._device), None).float().cpu())


@dataclass(frozen=True)
class Config:
    """Settings of enroll."""

    model: Path | None = (
        None  # folder of the extractor that makes the clue, or a name of zspex models; unset: the default
    )
    embedder: Path | None = None  # or experiment of an x-vector network
    enrollment: tuple[str, ...] = ()  # recordings of the speaker alone, a.wav,b.wav; several are joined
    output: Path | None = None  # file to write, me.clue
    data: Path | None = None  # instead of both: trial directory that gets clue_spk1.scp, by --embedder
    device: str = "auto"  # auto, cpu or cuda:N


def enroll(config: Config) -> None:
    """Write the clue of a speaker to ``output``, or those of all trials into their directory.

    Raises:
        UserError: for settings that contradict each other, or recordings that are missing, broken or unfit.
    """
    model, embedder, output = config.model, config.embedder, config.output
    if config.data is not None:
        if embedder is None or model is not None or config.enrollment or output is not None:
            raise ConfigError("--data: expected --embedder beside it, and neither --model, --enrollment nor --output")
        enroll_trials(XvectorEnroller(embedder, config.device), config.data)
        return
    if not config.enrollment or output is None:
        raise ConfigError("expected --enrollment and --output, or --data with --embedder")
    refuse_overwriting("output", output, [*config.enrollment, model, embedder])
    if embedder is not None and model is not None:
        raise ConfigError("expected --model or --embedder, got both: which of them is to make the clue?")
    if embedder is None:
        extractor = Extractor.load(model, device=config.device)
        clue, made_by = enroll_recordings(extractor, config.enrollment), fingerprint(extractor.network)
    else:
        enroller = XvectorEnroller(embedder, config.device)
        clue, made_by = mean_embedding([enroller.enroll(source) for source in config.enrollment]), ""
    clue.save(output, made_by=made_by)
    print(f"{output}: the clue of {len(config.enrollment)} recording{'s' * (len(config.enrollment) > 1)}")


def enroll_trials(enroller: XvectorEnroller, data: Path) -> None:
    """Write ``clue_spk1.{ark,scp}`` of a trial directory: the embedding of each trial's enrollment.

    Raises:
        UserError: naming the trial whose enrollment is missing, broken or unfit; nothing is written then.
    """
    enrollments = DataDir.load(data).table(ENROLLMENT)
    path = data / GIVEN_CLUE
    with ArchiveWriter(path.with_suffix(".ark"), path) as writer:
        for trial, source in enrollments.items():
            try:
                writer[trial] = enroller.enroll(source).embedding[0].numpy()
            except AudioError as error:
                raise AudioError(f"{trial}: {error}") from error
    print(f"{path}: the clues of {len(enrollments)} trials")
