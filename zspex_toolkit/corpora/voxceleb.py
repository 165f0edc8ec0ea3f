"""VoxCeleb 1 and 2: celebrities speaking in videos, 16 kHz.

Layout: ``wav/<spk>/<video>/*.wav`` (VoxCeleb 1) and ``aac/<spk>/<video>/*.m4a`` (VoxCeleb 2), below any folder;
``vox1_meta.csv`` / ``vox2_meta.csv``, where they lie in the root, tell the genders. An ``.m4a`` file becomes an ffmpeg
pipe in ``wav.scp`` and is not opened here.
"""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from collections import defaultdict
from pathlib import Path

import soundfile

from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.corpora.support.recordings import existing_root, find_files
from zspex_toolkit.corpora.support.utterance_sets import Utterances
from zspex_toolkit.errors import ConfigError
from zspex_toolkit.randomness import rng_for

RECORDING = re.compile(r"(?P<spk>id\d+)/(?P<video>[\w-]+)/(?P<utt>\w+)\.(?P<type>wav|flac|m4a)$", re.IGNORECASE)
Found = dict[str, dict[str, Path]]  # {spk: {utt: path}}


def prepare(
    corpus_dir: Path,
    out: Path,
    *,
    fs: int = 16000,
    num_speakers: int | None = None,
    num_utterances: int | None = None,
    seed: int = 0,
    max_fault_share: float = 0.05,
) -> list[Path]:
    """Write ``out/all``: utterances named ``<spk>-<video>-<file>``.

    Args:
        num_speakers: keep so many speakers, drawn at random; None: all.
        num_utterances: keep so many utterances of each speaker, drawn at random; None: all. A speaker who has
            fewer keeps all of them.
        seed: decides both draws.
        max_fault_share: share of broken or missing recordings that are dropped; with more, nothing is written.

    Raises:
        ConfigError: if the root is missing or a number is not positive.
        DataDirError: if it holds no VoxCeleb recording, or too many broken ones.
    """
    for name, value in (("num_speakers", num_speakers), ("num_utterances", num_utterances)):
        if value is not None and value < 1:
            raise ConfigError(f"voxceleb: expected {name} of 1 or more, got {value}")
    root, utterances = existing_root("voxceleb", corpus_dir), Utterances("voxceleb", fs, max_fault_share)
    found = _find(root, utterances)
    speakers = _draw(sorted(found), num_speakers, seed, "speakers")
    for spk in sorted(found):
        kept = _draw(sorted(found[spk]), num_utterances, seed, spk) if spk in speakers else ()
        for utt, path in found[spk].items():
            if utt not in kept:
                reason = "over num_utterances" if spk in speakers else "speaker over num_speakers"
                utterances.account.leave_out(utt, reason)
            elif path.suffix.lower() == ".m4a":
                utterances.add_source(utt, spk, ffmpeg_pipe(path, fs))
            else:
                utterances.add_file(utt, spk, path)
    _warn_without_ffmpeg(utterances)
    return utterances.write(out, root, spk2gender=_genders(root))


def ffmpeg_pipe(path: Path, fs: int) -> str:
    """Entry of ``wav.scp`` that decodes a file to 16-bit mono at ``fs``.

    >>> ffmpeg_pipe(Path("/a b/1.m4a"), 16000)
    "ffmpeg -v error -i '/a b/1.m4a' -ac 1 -ar 16000 -f wav -acodec pcm_s16le - |"
    """
    return f"ffmpeg -v error -i {shlex.quote(str(path))} -ac 1 -ar {fs} -f wav -acodec pcm_s16le - |"


def fake_tree(root: Path, *, seed: int = 0) -> None:
    """Seven speakers of two videos with four utterances each, as VoxCeleb 1 lays them out."""
    root = Path(root)
    rows = ["VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet"]
    for number in range(7):
        spk, gender = f"id1{number * 37 + 1:04d}", "mf"[number % 2]
        rows.append(f"{spk}\tName_{number}\t{gender}\tUK\tdev")
        for video in (f"-k{number}A_b-x9Yz", f"{number}Qw7-RtL_e0"):
            for utt in range(1, 5):
                path = root / "wav" / spk / video / f"{utt:05d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                seconds = rng_for(seed, spk, video, utt).uniform(1.5, 2.5)
                speech = synthetic_speech(spk, gender, f"{video}-{utt}", seconds=seconds, fs=16000, seed=seed)
                soundfile.write(path, speech, 16000, subtype="PCM_16")
    (root / "vox1_meta.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _find(root: Path, utterances: Utterances) -> Found:
    """Recordings by speaker; a decoded copy (``.wav``) is taken before the ``.m4a`` of the same utterance."""
    found: Found = defaultdict(dict)
    for path in sorted(find_files(root, (".wav", ".flac", ".m4a")), key=lambda path: path.suffix.lower() == ".m4a"):
        name = RECORDING.search(path.relative_to(root).as_posix())
        if name is None:
            utterances.account.leave_out(str(path.relative_to(root)), "name is not <spk>/<video>/<file>")
            continue
        spk = name["spk"].lower()
        utt = f"{spk}-{name['video']}-{name['utt']}"
        if utt in found[spk]:
            utterances.account.leave_out(str(path.relative_to(root)), "second copy")
        else:
            found[spk][utt] = path
    return found


def _draw(names: list[str], number: int | None, seed: int, key: str) -> set[str]:
    if number is None or number >= len(names):
        return set(names)
    return set(rng_for(seed, "voxceleb", key).permutation(names)[:number].tolist())


def _genders(root: Path) -> dict[str, str]:
    """Genders from the meta files; VoxCeleb 2's is padded with blanks and has its own column names."""
    genders = {}
    for path in (root / name for name in ("vox1_meta.csv", "vox2_meta.csv")):
        if path.is_file():
            with open(path, encoding="utf-8", newline="") as lines:
                delimiter = "\t" if "\t" in lines.readline() else ","
                lines.seek(0)
                for row in csv.DictReader(lines, delimiter=delimiter):
                    cells = {str(name).strip(): str(cell).strip() for name, cell in row.items()}
                    spk = cells.get("VoxCeleb2 ID", cells.get("VoxCeleb1 ID", ""))
                    genders[spk] = cells.get("Gender", "")
    return {spk: gender for spk, gender in genders.items() if gender in ("m", "f")}


def _warn_without_ffmpeg(utterances: Utterances) -> None:
    num_pipes = sum(wav.endswith("|") for wav in utterances.wavs.values())
    if num_pipes and shutil.which("ffmpeg") is None:
        print(f"voxceleb: warning: {num_pipes} m4a files need ffmpeg, which is not in PATH here", flush=True)
