"""Tests of planning the mixtures of a data directory."""

import json

import numpy as np
import pytest

from zspex_toolkit.errors import AudioError, ConfigError, DataDirError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.plan_mixtures import Config, plan_data_dir
from zspex_toolkit.prepare.render_mixtures import Config as RenderConfig
from zspex_toolkit.prepare.render_mixtures import render_data_dir
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.plan import read_plans

FS = 16000


def speech(utt: str, num_samples: int = FS) -> np.ndarray:
    return np.clip(0.1 * rng_for(0, utt).standard_normal(num_samples), -1, 1)


@pytest.fixture
def data(tmp_path):
    """Three speakers with three utterances of about a second each."""
    utts = {f"{spk}-{number}": spk for spk in ("ada", "bob", "cy") for number in range(3)}
    for position, utt in enumerate(utts):
        write_audio(tmp_path / f"{utt}.wav", speech(utt, FS + 100 * position), FS)
    write_data_dir(tmp_path / "data", wavs={utt: str(tmp_path / f"{utt}.wav") for utt in utts}, utt2spk=utts)
    return tmp_path / "data"


def planned(data, out, **options):
    plan_data_dir(Config(data, out, **options))
    return read_plans(out / "plan.jsonl")


def test_every_utterance_gets_a_mixture_with_gains(data, tmp_path, capsys):
    plans = planned(data, tmp_path / "mix", snr_db=(5.0,))
    assert sorted(plan.sources[0].pieces[0].utt for plan in plans) == list(read_table(data / "utt2spk"))
    assert all(plan.gain and all(source.gain for source in plan.sources) for plan in plans)
    assert capsys.readouterr().out == f"{tmp_path}/mix: 9 utterances in, 9 mixtures planned, 0 dropped\n"


def test_the_plan_is_the_same_for_any_number_of_processes(data, tmp_path):
    for nj in (1, 2, 4):
        plan_data_dir(Config(data, tmp_path / f"mix{nj}", snr_db=(-5.0, 5.0), num_speakers=3, mode="max", nj=nj))
    texts = {(tmp_path / f"mix{nj}" / "plan.jsonl").read_text() for nj in (1, 2, 4)}
    assert len(texts) == 1


def test_short_and_silent_utterances_are_dropped_and_counted(data, tmp_path, capsys):
    write_audio(tmp_path / "ada-1.wav", np.zeros(FS), FS)
    write_audio(tmp_path / "bob-0.wav", speech("bob-0", FS // 10), FS)
    write_audio(tmp_path / "bob-2.wav", speech("bob-2", FS // 5), FS)
    plans = planned(data, tmp_path / "mix")
    used = {source.pieces[0].utt for plan in plans for source in plan.sources}
    assert len(plans) == 6 and not used & {"ada-1", "bob-0", "bob-2"}
    assert read_table(tmp_path / "mix" / "dropped.txt") == {
        "ada-1": "silent",
        "bob-0": "shorter than 0.5 s (0.10 s)",
        "bob-2": "shorter than 0.5 s (0.20 s)",
    }
    assert "9 utterances in, 6 mixtures planned, 3 dropped (2 shorter than 0.5 s, 1 silent; see" in (
        capsys.readouterr().out
    )


def test_a_mixture_whose_overlap_is_silent_is_dropped_with_its_reason(data, tmp_path):
    # The target sounds in its last tenth only: most stretches that the shorter interferers leave of it are silent.
    late = np.concatenate([np.zeros(40 * FS), speech("late", 10)])
    write_audio(tmp_path / "ada-0.wav", late, FS)
    plans = planned(data, tmp_path / "mix")
    (mixture, reason), *_ = read_table(tmp_path / "mix" / "dropped.txt").items()
    assert mixture.startswith("ada-0_")
    assert reason == "target is silent where it overlaps with the interferers (ada-0)"
    assert len(plans) + len(read_table(tmp_path / "mix" / "dropped.txt")) == 9


def test_dropped_txt_of_an_earlier_plan_goes_when_nothing_is_dropped(data, tmp_path):
    plan_data_dir(Config(data, tmp_path / "mix", min_utt_s=1.03))
    assert (tmp_path / "mix" / "dropped.txt").exists()
    plan_data_dir(Config(data, tmp_path / "mix", min_utt_s=0.5))
    assert not (tmp_path / "mix" / "dropped.txt").exists()


def test_noise_and_rooms_are_drawn_from_folders(data, tmp_path):
    for name, signal in (("noise", speech("noise", 5000)), ("room", np.array([1.0, 0.5, 0.25]))):
        write_audio(tmp_path / name / f"{name}.wav", signal, FS)
    plans = planned(data, tmp_path / "mix", noise_dir=tmp_path / "noise", room_dir=tmp_path / "room")
    assert {plan.noise.id for plan in plans} == {"noise.wav"}
    assert {source.room for plan in plans for source in plan.sources} == {"room.wav"}


def test_the_same_plan_again_keeps_the_rendering_and_a_new_one_outdates_it(data, tmp_path):
    mix = tmp_path / "mix"
    plan_data_dir(Config(data, mix))
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    plan_data_dir(Config(data, mix))
    assert (mix / "utt2spk").exists() and (mix / "utt2spk2").exists()
    plan_data_dir(Config(data, mix, seed=1))
    assert sorted(path.name for path in mix.iterdir()) == ["plan.jsonl"]


def test_a_data_directory_of_something_else_is_not_overwritten(data):
    before = sorted((path.name, path.read_text()) for path in data.iterdir())
    with pytest.raises(DataDirError, match="is a data directory of something else"):
        plan_data_dir(Config(data, data))
    assert sorted((path.name, path.read_text()) for path in data.iterdir()) == before


def test_one_speaker_is_too_few(data, tmp_path):
    for table in ("utt2spk", "wav.scp"):
        write_table(data / table, {k: v for k, v in read_table(data / table).items() if k.startswith("ada")})
    with pytest.raises(DataDirError, match=r"data: mixtures of 2 speakers need at least 2 speakers, found 1$"):
        plan_data_dir(Config(data, tmp_path / "mix"))
    with pytest.raises(DataDirError, match=r"found 0 \(3 utterances dropped: 3 shorter than 9 s\)"):
        plan_data_dir(Config(data, tmp_path / "mix", min_utt_s=9))


def test_several_rates_are_named(data, tmp_path):
    write_audio(tmp_path / "cy-2.wav", speech("cy-2"), 44100)
    with pytest.raises(DataDirError, match=r"expected one rate, found 16000 Hz \(ada-0\) and 44100 Hz \(cy-2\)"):
        plan_data_dir(Config(data, tmp_path / "mix"))


def test_broken_audio_stops_and_leaves_the_old_plan(data, tmp_path):
    plan_data_dir(Config(data, tmp_path / "mix"))
    before = (tmp_path / "mix" / "plan.jsonl").read_text()
    (tmp_path / "bob-1.wav").write_bytes(b"")
    with pytest.raises(AudioError, match=r"bob-1: .*bob-1\.wav: empty file"):
        plan_data_dir(Config(data, tmp_path / "mix", seed=9, nj=2))
    assert (tmp_path / "mix" / "plan.jsonl").read_text() == before


def test_a_bad_setting_is_refused_before_anything_is_read(tmp_path):
    for options, message in (
        ({"snr_db": (float("inf"),)}, "snr_db: expected a finite number of dB"),
        ({"noise_snr_db": (3.0, 1.0)}, "noise_snr_db: expected a finite"),
        ({"level": "loud"}, "level: expected one of all, active, got 'loud'"),
        ({"mode": "mean"}, "mode: expected one of"),
    ):
        with pytest.raises(ConfigError, match=message):
            plan_data_dir(Config(tmp_path / "missing", tmp_path / "mix", **options))


def test_the_plan_says_all_that_rendering_needs(data, tmp_path):
    plan_data_dir(Config(data, tmp_path / "mix", snr_db=(0.0,), seed=7))
    line = json.loads((tmp_path / "mix" / "plan.jsonl").read_text().splitlines()[0])
    assert list(line) == ["id", "sources", "snr_db", "fs", "num_samples", "seed", "gain", "noise"]
    assert line["seed"] == 7 and line["fs"] == FS


def test_names_that_give_two_mixtures_one_id_are_refused(tmp_path):
    utts = {"a": "x", "a_b": "x", "b_c": "y", "c": "y"}
    for utt in utts:
        write_audio(tmp_path / f"{utt}.wav", speech(utt), FS)
    write_data_dir(tmp_path / "data", wavs={utt: str(tmp_path / f"{utt}.wav") for utt in utts}, utt2spk=utts)
    with pytest.raises(DataDirError, match=r"^a_b_c: id of two mixtures; rename the utterances, without '_'"):
        for seed in range(40):  # one plan in four draws both pairs
            plan_data_dir(Config(tmp_path / "data", tmp_path / f"mix{seed}", seed=seed))
