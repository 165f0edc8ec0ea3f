"""speechocean762 (OpenSLR 101): read English by 250 Mandarin speakers, half of them children, 16 kHz.

Layout: ``{train,test}/{wav.scp,text,utt2spk,spk2gender,spk2age}``, tab-separated, paths relative to the root
(``WAVE/SPEAKER0001/000010011.WAV``, or ``.flac`` in lossless copies). Speakers of train and test are disjoint.
Source: Zhang et al., "speechocean762", Interspeech 2021.
"""

from __future__ import annotations

from pathlib import Path

import soundfile

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.corpora.support.recordings import existing_root, plain_words
from zspex_toolkit.corpora.support.utterance_sets import Utterances
from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.blanks import read_lines
from zspex_toolkit.io.table_set import keep_utterances, read_tables, write_tables
from zspex_toolkit.randomness import rng_for

SETS = ("train", "test")


def prepare(
    corpus_dir: Path,
    out: Path,
    *,
    fs: int = 16000,
    own_sets: bool = False,
    exclude_speakers: tuple[str, ...] = (),
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/all``: the speakers of train and test together, utterances named ``<spk>-<utt>``.

    Args:
        own_sets: write the corpus's own ``out/train`` and ``out/test``, whose speakers differ, beside ``out/all``.
        exclude_speakers: speakers to leave out (0001 and 0003, say, are hard to tell apart).
        max_fault_share: share of broken or missing recordings that are dropped; with more, nothing is written.

    Raises:
        ConfigError: if the root is missing, or an excluded speaker is not in the corpus.
        DataDirError: naming file and line of a fault in the corpus's own tables.
    """
    root, utterances = existing_root("speechocean762", corpus_dir), Utterances("speechocean762", fs, max_fault_share)
    tables = {name: _read_both(root, name) for name in ("wav.scp", "utt2spk", "text", "spk2gender", "spk2age")}
    speakers = set(tables["utt2spk"].values())
    for spk in exclude_speakers:
        if spk not in speakers:
            raise ConfigError(f"speechocean762: no speaker '{spk}' to exclude in {root}")
    for source, spk in tables["utt2spk"].items():
        utt = f"{spk}-{source}"
        if spk in exclude_speakers:
            utterances.account.leave_out(utt, f"speaker {spk} excluded")
        elif source not in tables["wav.scp"] or source not in tables["text"]:
            utterances.account.drop(utt, "not in wav.scp" if source not in tables["wav.scp"] else "not in text")
        else:
            path = _audio_file(root / tables["wav.scp"][source])
            utterances.add_file(utt, spk, path, plain_words(tables["text"][source]))
    written = utterances.write(out, root, spk2gender=tables["spk2gender"], spk2age=tables["spk2age"])
    return written + (_write_own_sets(root, Path(out)) if own_sets else [])


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """Five training and three test speakers of 8 utterances in the original's layout and file type (``.WAV``)."""
    root, speakers = Path(root), ("0001", "0005", "0019", "0023", "0040", "0003", "0049", "0094")
    for name, members in zip(SETS, (speakers[:5], speakers[5:]), strict=True):
        tables: dict[str, list[str]] = {key: [] for key in ("wav.scp", "text", "utt2spk", "spk2gender", "spk2age")}
        for spk in members:
            gender = "mf"[speakers.index(spk) % 2]
            tables["spk2gender"].append(f"{spk}\t{gender}\n")
            tables["spk2age"].append(f"{spk}\t{6 + 7 * speakers.index(spk)}\n")
            for number in range(8):
                utt = f"0{spk}{number:04d}"
                path = f"WAVE/SPEAKER{spk}/{utt}.WAV"
                tables["wav.scp"].append(f"{utt}\t{path}\n")
                tables["text"].append(f"{utt}\tWE SAY NUMBER {number}\n")
                tables["utt2spk"].append(f"{utt}\t{spk}\n")
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                seconds = rng_for(seed, utt).uniform(1.5, 2.5)
                speech = synthetic_speech(spk, gender, utt, seconds=seconds, fs=16000, seed=seed)
                soundfile.write(root / path, speech, 16000, format="WAV", subtype="PCM_16")
        (root / name).mkdir(parents=True, exist_ok=True)
        for key, lines in tables.items():
            (root / name / key).write_text("".join(sorted(lines)), encoding="utf-8")


def _write_own_sets(root: Path, out: Path) -> list[Path]:
    """``out/train`` and ``out/test``: the utterances of ``out/all`` that the corpus lists there."""
    all_tables, kinds = read_tables(out / "all")
    for name in SETS:
        speakers = {line.split()[1] for line in (root / name / "utt2spk").read_text(encoding="utf-8").splitlines()}
        kept = [utt for utt, spk in all_tables["utt2spk"].items() if spk in speakers]
        write_tables(out / name, keep_utterances(all_tables, kinds, kept))
        print(f"speechocean762: {len(kept)} utterances in {out / name}", flush=True)
    return [out / name for name in SETS]


def _read_both(root: Path, name: str) -> dict[str, str]:
    """One table of train and test together; the corpus separates its columns by a tab."""
    table: dict[str, str] = {}
    for path in (root / each / name for each in SETS):
        if not path.is_file():
            raise DataDirError(
                f"speechocean762: expected {path}; is --corpus_dir the folder that holds train and test?"
            )
        for number, line in enumerate(read_lines(path), 1):
            fields = line.split(maxsplit=1)
            if len(fields) != 2:
                raise DataDirError(f"{path}:{number}: expected '<key><tab><value>', got '{line}'")
            if fields[0] in table:
                raise DataDirError(f"{path}:{number}: '{fields[0]}' is there twice in {' and '.join(SETS)}")
            table[fields[0]] = fields[1].strip()
    return table


def _audio_file(path: Path) -> Path:
    """The listed file, else a copy of it with another suffix (``.flac`` for ``.WAV``)."""
    others = (path.with_suffix(suffix) for suffix in (".WAV", ".wav", ".flac"))
    return next((each for each in (path, *others) if each.is_file()), path)
