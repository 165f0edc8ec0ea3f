"""TIMIT (LDC93S1): 630 speakers of American English reading ten sentences each, 16 kHz.

Layout: ``{TRAIN,TEST}/DR?/<SPK>/{SX,SI,SA}*.WAV`` in NIST SPHERE with ``.TXT`` beside, any letter case. The two SA
sentences, the same for everybody, are left out: 8 sentences of each speaker, 5,040 in all, remain, from train and test
together, as speaker embedding de-mixing uses them (arXiv 2001.06397).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.corpora.support.recordings import existing_root, find_files, plain_words
from zspex_toolkit.corpora.support.sphere import sphere_bytes
from zspex_toolkit.corpora.support.utterance_sets import Utterances
from zspex_toolkit.randomness import rng_for

NUM_SPEAKERS, NUM_SENTENCES = 630, 8  # of the whole corpus without SA
RECORDING = re.compile(r"(train|test)/dr[1-8]/(?P<spk>[mf][a-z0-9]{4})/(?P<utt>(sa|si|sx)\d+)\.wav$", re.IGNORECASE)


def prepare(
    corpus_dir: Path, out: Path, *, fs: int = 16000, keep_sa: bool = False, max_fault_share: float = 0.05
) -> list[Path]:
    """Write ``out/all``: all 630 speakers, utterances named ``<SPK>-<SENTENCE>`` in capitals.

    Args:
        keep_sa: keep the two sentences that every speaker reads.
        max_fault_share: share of broken or missing recordings that are dropped; with more, nothing is written.

    Raises:
        ConfigError: if the root is missing.
        DataDirError: if it holds no TIMIT recording, or too many broken ones.
    """
    root, utterances = existing_root("timit", corpus_dir), Utterances("timit", fs, max_fault_share)
    for path in find_files(root, (".wav",)):
        name = RECORDING.search(path.relative_to(root).as_posix())
        if name is None:
            utterances.account.leave_out(
                str(path.relative_to(root)), "name is not {TRAIN,TEST}/DR?/<SPK>/<SENTENCE>.WAV"
            )
            continue
        spk, sentence = name["spk"].upper(), name["utt"].upper()
        if sentence.startswith("SA") and not keep_sa:
            utterances.account.leave_out(f"{spk}-{sentence}", "SA sentence")
        elif f"{spk}-{sentence}" in utterances.wavs:
            utterances.account.leave_out(str(path.relative_to(root)), "second copy")
        else:
            utterances.add_file(f"{spk}-{sentence}", spk, path, _transcript(path))
    genders = {spk: spk[0].lower() for spk in utterances.utt2spk.values()}
    written = utterances.write(out, root, spk2gender=genders)
    _compare_with_the_whole(len(genders), len(utterances.wavs), NUM_SENTENCES + 2 * keep_sa)
    return written


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """Eight speakers of ten sentences in NIST SPHERE files, letter case mixed as in releases in the wild."""
    speakers = ("FCJF0", "FDAW0", "MCPM0", "MDAC0", "fadg0", "faks0", "mdab0", "mwbt0")
    for index, spk in enumerate(speakers):
        lower = spk.islower()
        folder = Path(root, *(("test", "dr1") if lower else ("TRAIN", "DR1")), spk)
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [f"SA{number}" for number in (1, 2)]
        numbers += [f"SX{number + index + 90 * step}" for step, number in enumerate((10, 12, 14, 16, 18))]
        numbers += [f"SI{number + index + 630 * step}" for step, number in enumerate((463, 465, 467))]
        for name in (number.lower() if lower else number for number in numbers):
            seconds = rng_for(seed, spk, name).uniform(1.5, 2.5)
            speech = synthetic_speech(spk, spk[0].lower(), name, seconds=seconds, fs=16000, seed=seed)
            samples = np.rint(32767 * speech)
            (folder / f"{name}{'.wav' if lower else '.WAV'}").write_bytes(sphere_bytes(samples, 16000, "TIMIT"))
            words = f"0 {len(samples)} She says sentence {name}, slowly.\n"
            (folder / f"{name}{'.txt' if lower else '.TXT'}").write_text(words, encoding="utf-8")


def _transcript(path: Path) -> str | None:
    """Words of the ``.TXT`` beside a recording (``<first sample> <last sample> <sentence>``), None without one."""
    for text in (path.with_suffix(suffix) for suffix in (".TXT", ".txt")):
        if text.is_file():
            words = plain_words(" ".join(text.read_text(encoding="utf-8", errors="replace").split()[2:]))
            return words or None
    return None


def _compare_with_the_whole(num_speakers: int, num_utterances: int, num_sentences: int) -> None:
    expected = NUM_SPEAKERS * num_sentences
    if (num_speakers, num_utterances) != (NUM_SPEAKERS, expected):
        found = f"{num_speakers} speakers and {num_utterances:,} utterances"
        print(f"timit: warning: {found}; the whole corpus has {NUM_SPEAKERS} and {expected:,}", flush=True)
