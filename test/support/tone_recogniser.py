"""A small recogniser that learns four tones in seconds."""

from __future__ import annotations

from pathlib import Path

from support.made_up_words import FS, write_words
from zspex_toolkit.tasks.recognition import Config, train_recogniser
from zspex_toolkit.text.tokens import Config as TokenConfig
from zspex_toolkit.text.tokens import train_tokens
from zspex_toolkit.train.config import TrainConfig

OPTIONS = {
    **{"dim": 32, "num_blocks": 2, "num_heads": 2, "kernel_size": 5, "expansion": 2, "channels": 8},
    **{"num_mel_bins": 24, "dropout": 0.0},
}


def tone_config(folder: Path, exp_dir: Path, *, num_epochs: int = 10, **options) -> Config:
    """Settings of a training on ``folder/data/train``."""
    loop = {"optimizer": "adamw", "schedule": "warmup_cosine", "warmup_steps": 10, "clip_grad_norm": 5.0}
    train = TrainConfig(num_epochs=num_epochs, batch_size=1, learning_rate=0.005, num_threads=1, **loop)
    settings = {"recogniser_options": OPTIONS, "batch_seconds": 15.0, "speeds": (1.0,), "fs": FS, "device": "cpu"}
    paths = {"valid_data": folder / "data/test", "tokens": folder / "tokens.model", "exp_dir": exp_dir}
    return Config(folder / "data/train", train=train, **paths, **{**settings, **options})


def write_tones(folder: Path) -> Path:
    """Data of training and test, and the tokens."""
    write_words(folder / "data/train", speakers=("ann", "bob"), per_speaker=60)
    write_words(folder / "data/test", speakers=("eve", "joe"), per_speaker=8, seed=1)
    train_tokens(TokenConfig(folder / "data/train", folder / "tokens.model", "bpe", vocabulary=16))
    return folder


def train_tones(folder: Path) -> Path:
    """As :func:`write_tones`, with a trained recogniser in ``exp``."""
    train_recogniser(tone_config(write_tones(folder), folder / "exp"))
    return folder
