"""Words of all utterances of a data directory, written as Kaldi's ``text`` and, for sclite, ``hyp.trn``."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from zspex_toolkit.data.segments import batches_by_length
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.table import write_table
from zspex_toolkit.recognise.recogniser import DecodeConfig, Recogniser
from zspex_toolkit.text.trn import write_trn


@dataclass(frozen=True)
class Config:
    """Settings of recognise."""

    model: Path  # folder of a trained recogniser
    data: Path  # data directory with wav.scp
    out: Path  # folder to write: text, hyp.trn, speed.json
    decode: DecodeConfig = field(default_factory=DecodeConfig)  # how words are searched
    batch_seconds: float = 60.0  # audio that is recognised at once, padding included
    device: str = "auto"  # auto, cpu or cuda:N


def recognise_data_dir(config: Config) -> dict[str, str]:
    """Words of each utterance; a line says how many there are and how fast it went.

    Raises:
        UserError: if the model or the data directory is missing or broken, or the audio has another rate.
    """
    if not config.batch_seconds > 0:
        raise ConfigError(f"batch_seconds: expected a number above 0, got {config.batch_seconds}")
    recogniser = Recogniser(config.model, decode=config.decode, device=config.device)
    waveforms = Waveforms(config.data, recogniser.fs)
    num_samples, utterances = waveforms.utt2num_samples(), list(waveforms.utterances)
    lengths = [num_samples[utt] for utt in utterances]
    batches = batches_by_length(lengths, int(config.batch_seconds * recogniser.fs))
    words, busy = {}, 0.0
    for batch in tqdm(batches, desc="recognise", unit="batch", disable=None):
        samples = [waveforms[utterances[index]] for index in batch]
        began = time.perf_counter()
        found = recogniser.transcribe(samples)
        busy += time.perf_counter() - began
        words.update(zip((utterances[index] for index in batch), found, strict=True))
    seconds = sum(lengths) / recogniser.fs
    write_table(config.out / "text", words, allow_empty=True)
    write_trn(config.out / "hyp.trn", words, waveforms.utt2spk)
    write_json(config.out / "speed.json", {"audio_s": seconds, "computed_s": busy, "real_time_factor": busy / seconds})
    without = sum(not found for found in words.values())
    print(
        f"{config.out}/text: {len(words):,} utterances, {without} of them without a word, real-time factor "
        f"{busy / seconds:.3f}"
    )
    return words
