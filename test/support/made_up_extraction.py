"""A made-up extraction experiment: tiny recordings, scores and histories in the layout of the recipes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from zspex_toolkit.config import dump_config
from zspex_toolkit.corpora.fake.synthetic_voice import synthetic_speech
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.table import write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.signal.front_end_config import FrontEndConfig, MfccConfig
from zspex_toolkit.tasks.embedding import EmbedderSpec, build_embedder

FS = 8000
SECONDS = 0.8
GAIN_DB = {"spex_plus": 8.0, "zspex": 10.0}  # mean improvement on present trials
SPEAKERS = {
    "test": {"ann": "f", "bea": "f", "cat": "f", "dan": "m", "ed": "m", "fred": "m"},
    "seen": {"gwen": "f", "hal": "m"},
    "test_absent": {"ann": "f", "dan": "m"},
}


def trial_line(utt: str, target: str, interferer: str | None, genders: dict, number: int, condition: str) -> dict:
    """What is known of a trial before extraction."""
    kinds = {genders[target], genders[interferer]} if interferer else set()
    pair = {1: "female" if "f" in kinds else "male", 2: "different"}.get(len(kinds), "unknown")
    return {
        "id": utt,
        "mixture_id": f"mix-{utt}",
        "target": target,
        "interferer": interferer,
        "target_gender": genders[target],
        "interferer_gender": genders[interferer] if interferer else None,
        "pair": pair,
        "condition": condition,
        "seconds": SECONDS,
        "enrollment_seconds": SECONDS,
        "snr_db": float(number % 3 - 1) if interferer else None,
        "overlap": 0.75 if interferer else 0.0,
    }


def plan(name: str, per_pair: int) -> list[dict]:
    """Every ordered pair of the set's speakers, ``per_pair`` times; with absent and single trials where asked for."""
    genders = SPEAKERS[name]
    pairs = [(one, other) for one in genders for other in genders if one != other]
    lines = []
    for target, other in pairs:
        for number in range(per_pair):
            absent = name.endswith("_absent")
            condition = ("absent", "single", "present")[number % 3] if absent else "present"
            utt = f"{target}-{other}-{number}"
            interferer = None if condition == "single" else other
            lines.append(trial_line(utt, target, interferer, genders, number, condition))
    return sorted(lines, key=lambda line: line["id"].encode())


def gains(lines: list[dict], system: str) -> dict[str, float]:
    """Improvement of each trial: the system's own, and from -1 to 1 dB by the trial's number."""
    return {line["id"]: GAIN_DB[system] + (i % 11 - 5) / 5 for i, line in enumerate(lines)}


def write_trials(root: Path, name: str, lines: list[dict]) -> dict[str, dict[str, np.ndarray]]:
    """``data/trials_<name>`` and its audio; the signals of each trial."""
    folder, genders, tables, signals = root / "data" / f"trials_{name}", SPEAKERS[name], {}, {}
    for line in lines:
        utt = line["id"]
        speech = {
            part: synthetic_speech(spk, genders[spk], f"{utt}-{part}", seconds=SECONDS, fs=FS, seed=0)
            for part, spk in (("target", line["target"]), ("interferer", line["interferer"]), ("e", line["target"]))
            if spk
        }
        reference = np.zeros_like(speech["target"]) if line["condition"] == "absent" else speech["target"]
        other = speech.get("interferer", np.zeros_like(reference))
        signals[utt] = {"target": reference, "interferer": other, "mixture": reference + other}
        for table, samples in (
            ("wav.scp", reference + other),
            ("spk1.scp", reference),
            ("enroll_spk1.scp", speech["e"]),
        ):
            path = root / "dump" / name / table / f"{utt}.wav"
            write_audio(path, samples, FS)
            tables.setdefault(table, {})[utt] = str(path)
    write_data_dir(folder, wavs=tables["wav.scp"], utt2spk={line["id"]: line["target"] for line in lines})
    for table in ("spk1.scp", "enroll_spk1.scp"):
        write_table(folder / table, tables[table])
    return signals


def write_extracted(root: Path, system: str, name: str, lines: list[dict], signals: dict) -> None:
    """The target, with the interferer as far down as the system's gain says."""
    gain, wavs = gains(lines, system), {}
    for line in lines:
        utt = line["id"]
        path = root / "exp" / system / "extracted" / name / "wav" / f"{utt}.wav"
        signal = signals[utt]
        write_audio(path, signal["target"] + 10 ** (-gain[utt] / 20) * signal["interferer"], FS)
        wavs[utt] = str(path)
    folder = root / "exp" / system / "extracted" / name
    write_data_dir(folder, wavs=wavs, utt2spk={line["id"]: line["target"] for line in lines})


def scored_lines(lines: list[dict], system: str) -> list[dict]:
    """The lines of trials.jsonl."""
    found = []
    for line in lines:
        mixture = line["snr_db"] if line["condition"] == "present" else None
        gain = 0.0 if system == "mixture" else gains(lines, system)[line["id"]]
        present = {"si_sdr": mixture + gain, "si_sdri": gain, "pesq": 2.0 + gain / 10} if mixture is not None else {}
        absent = {"energy_left_db": -3 * gain} if line["condition"] == "absent" else {}
        empty = {"si_sdr": None, "si_sdri": None, "energy_left_db": None, "silent": False}
        found.append({**line, **empty, **present, **absent})
    return found


def _group(by: str, value: str, lines: list[dict]) -> dict:
    metrics = {}
    for name in ("si_sdr", "si_sdri", "pesq", "energy_left_db"):
        values = [line[name] for line in lines if line.get(name) is not None]
        if values:
            mean = float(np.mean(values))
            metrics[name] = {"mean": mean, "interval": [mean - 0.25, mean + 0.25]}
            metrics[name]["speaker_interval"] = [mean - 0.5, mean + 0.5]
    values = [line["si_sdri"] for line in lines if line.get("si_sdri") is not None]
    if values:
        metrics["share_above_1_db"] = {"mean": float(np.mean([v > 1 for v in values])), "interval": [0.5, 1.0]}
        metrics["confusion"] = {"mean": 0.03125, "interval": [0.0, 0.0625]}
    return {"by": by, "value": value, "num_trials": len(lines), "metrics": metrics}


def write_scores(folder: Path, system: str, name: str, lines: list[dict]) -> None:
    """``scores.json`` and ``trials.jsonl``."""
    lines = scored_lines(lines, system)
    groups = [_group("all", "all", lines)]
    for by in ("pair", "snr_db", "condition"):
        values = sorted({str(line[by]) for line in lines if line[by] is not None})
        groups += [_group(by, value, [line for line in lines if str(line[by]) == value]) for value in values]
    facts = {
        **{"system": system, "set": name, "fs": FS, "mode": "min", "targets": "both", "num_trials": len(lines)},
        **{"num_dropped": 1, "dropped": ["lost-1"], "list_hash": f"list-{name}", "config_hash": "c0ffee"},
        **{"commit": "abc123", "versions": {"torch": "2.0", "numpy": "2.1"}, "seed": 3, "groups": groups},
        **({"num_parameters": 11138734, "macs_per_second": 2.5e9} if system != "mixture" else {}),
        **({"real_time_factor": 0.25, "peak_memory_mib": 300.0} if system != "mixture" else {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.json").write_text(json.dumps(facts))
    (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_history(folder: Path, gain: float) -> None:
    """Three epochs, with the settings and the end of the training."""
    folder.mkdir(parents=True, exist_ok=True)
    epochs = [
        {
            "epoch": epoch,
            "train": {"loss": 10.0 - epoch * gain / 4},
            "valid": {"loss": 0.0, "si_sdri": epoch * gain / 3},
            **{"best": epoch < 3, "seconds": 60.0, "steps": 100, "items": 900, "amp": "bf16"},
        }
        for epoch in (1, 2, 3)
    ]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in epochs))
    (folder / "config.yaml").write_text(
        "draw: {segment_seconds: 4.0}\ntrain: {batch_size: 8, accumulate: 2, seed: 7}\n"
    )
    (folder / "done").write_text('{"epochs": 3, "commit": "f00d"}')


def write_xvector(folder: Path) -> None:
    """A small embedder with the weights it was born with."""
    options = {"channels": 8, "pooled_channels": 12, "embedding_dim": 6}
    spec = EmbedderSpec("residual_tdnn", options, FrontEndConfig(mfcc=MfccConfig(fs=FS, high_hz=3700.0)))
    torch.manual_seed(0)
    weights = {f"embedder.{name}": value for name, value in build_embedder(spec).state_dict().items()}
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text(dump_config(spec))
    save_file(weights, folder / "last.safetensors")
    (folder / "done").write_text('{"commit": "f00d"}')


def make_experiment(root: Path) -> Path:
    """``root/data`` and ``root/exp``: SpEx+ and Z-SpEx on unseen, seen and absent speakers. Returns ``root/exp``."""
    for name, per_pair in (("test", 2), ("seen", 4), ("test_absent", 3)):
        lines = plan(name, per_pair)
        signals = write_trials(root, name, lines)
        write_scores(root / "exp" / "mixture" / name, "mixture", name, lines)
        for system in GAIN_DB:
            write_extracted(root, system, name, lines, signals)
            write_scores(root / "exp" / system / "scores" / name, system, name, lines)
    for system, gain in GAIN_DB.items():
        write_history(root / "exp" / system, gain)
    write_xvector(root / "exp" / "xvector")
    return root / "exp"
