"""The ``mini`` corpus: synthetic voices speaking our own sentences, made here, the same bytes on every machine.

It needs no download and takes seconds. Layout under the corpus folder::

    wav/<spk>/<utt>.wav              16 kHz, 16 bit
    text  utt2spk  spk2gender        as in a data directory
    mini.json                        number of speakers and utterances, and the seed, it was made with
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr
from tqdm import tqdm

from zspex_toolkit.corpora.support.espeak import ACCENTS, ESPEAK_FS, Voice, draw_voice, speak
from zspex_toolkit.corpora.support.utterance_sets import Utterances
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.temporary import temporary_folder
from zspex_toolkit.randomness import rng_for

FS = 16000  # of the files

# The grammar of the sentences.
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


def prepare(
    corpus_dir: Path,
    out: Path,
    *,
    fs: int = FS,
    num_speakers: int | None = None,
    num_utterances: int | None = None,
    seed: int | None = None,
) -> list[Path]:
    """Make the corpus unless it is there, then write ``out/all``.

    Args:
        corpus_dir: where the corpus is or goes; it appears complete or not at all.
        num_speakers, num_utterances: size (utterances of each speaker); None: as it is there, else 24 and 12.
        seed: decides voices and sentences; None: as it is there, else 0.

    Raises:
        ConfigError: if the corpus there is of another size, or the folder holds something else.
    """
    corpus_dir = Path(os.path.abspath(corpus_dir))
    asked = {"num_speakers": num_speakers, "num_utterances": num_utterances, "seed": seed}
    _check_settings(asked, corpus_dir)
    if not (corpus_dir / "mini.json").exists():
        defaults = {"num_speakers": 24, "num_utterances": 12, "seed": 0}
        make(corpus_dir, **{key: defaults[key] if value is None else value for key, value in asked.items()})
    utterances, text = Utterances("mini", fs), read_table(corpus_dir / "text")
    for utt, spk in read_table(corpus_dir / "utt2spk").items():
        utterances.add_file(utt, spk, corpus_dir / "wav" / spk / f"{utt}.wav", text[utt])
    return utterances.write(out, corpus_dir, spk2gender=read_table(corpus_dir / "spk2gender"))


def make(corpus_dir: Path, *, num_speakers: int, num_utterances: int, seed: int = 0) -> None:
    """Speak and write the whole corpus; ``corpus_dir`` must be absent or empty."""
    voices = draw_voices(num_speakers, seed)
    sentences = iter(draw_sentences(rng_for(seed, "mini", "sentences"), num_speakers * num_utterances))
    utterances = [(f"{voice.name}-{number:03d}", voice.name, next(sentences))
                  for voice in voices for number in range(1, num_utterances + 1)]  # fmt: skip
    corpus_dir.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(corpus_dir) as making:
        making.mkdir()
        _write_audio(making, voices, utterances)
        write_table(making / "text", {utt: sentence.upper() for utt, _, sentence in utterances})
        write_table(making / "utt2spk", {utt: spk for utt, spk, _ in utterances})
        write_table(making / "spk2gender", {voice.name: voice.gender for voice in voices})
        settings = {"num_speakers": num_speakers, "num_utterances": num_utterances, "seed": seed}
        (making / "mini.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")
        making.rename(corpus_dir)


def draw_voices(num_speakers: int, seed: int) -> list[Voice]:
    """``spk001``, ``spk002``, ...: men and women in turn, every accent as often as the others."""
    voices = []
    for index in range(num_speakers):
        name, accent = f"spk{index + 1:03d}", ACCENTS[index // 2 % len(ACCENTS)]
        voices.append(draw_voice(rng_for(seed, "mini", name), name, "mf"[index % 2], accent))
    return voices


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


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """The corpus itself, small: 6 speakers of 8 utterances."""
    make(Path(root), num_speakers=6, num_utterances=8, seed=seed)


def _write_audio(folder: Path, voices: list[Voice], utterances: list[tuple[str, str, str]]) -> None:
    spoken = speak(voices, [(spk, sentence) for _, spk, sentence in utterances])
    print(f"mini: {len(voices)} voices speak {len(utterances)} sentences", flush=True)
    progress = tqdm(utterances, desc="mini", unit="utt", disable=None)  # None: a bar on a terminal only
    for (utt, spk, _), samples in zip(progress, spoken, strict=True):
        # Double precision, so that rounding to 16 bit does not depend on the processor's vector width.
        speech = soxr.resample(samples.astype(np.float64), ESPEAK_FS, FS, quality="VHQ")
        path = folder / "wav" / spk / f"{utt}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.clip(np.rint(speech), -32768, 32767).astype(np.int16), FS, subtype="PCM_16")


def _check_settings(asked: dict[str, int | None], corpus_dir: Path) -> None:
    for key in ("num_speakers", "num_utterances"):
        if asked[key] is not None and asked[key] < 1:
            raise ConfigError(f"mini: expected {key} of 1 or more, got {asked[key]}")
    if not (corpus_dir / "mini.json").exists():
        if corpus_dir.exists() and (not corpus_dir.is_dir() or any(corpus_dir.iterdir())):
            raise ConfigError(f"mini: {corpus_dir} holds no mini corpus; set --corpus_dir to a new or empty folder")
        return
    try:
        there = json.loads((corpus_dir / "mini.json").read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataDirError(f"{corpus_dir}/mini.json: not JSON ({error}); remove the folder to make it anew") from error
    for key, value in asked.items():
        if value is not None and value != there.get(key):
            hint = "set --corpus_dir to a new folder, or remove this one"
            raise ConfigError(f"mini: {corpus_dir} was made with {key} {there.get(key)}, not {value}; {hint}")
