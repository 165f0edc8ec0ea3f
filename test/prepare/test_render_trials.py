"""A rendered trial directory: what is written, once, and that it is valid."""

import numpy as np
import pytest

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.audio import read_audio, write_audio
from zspex_toolkit.io.fix import Config as FixConfig
from zspex_toolkit.io.fix import fix_data_dir
from zspex_toolkit.io.subset import Config, subset_data_dir
from zspex_toolkit.io.table import read_table
from zspex_toolkit.io.validate import check_data_dir
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.plan_trials import Config as PlanConfig
from zspex_toolkit.prepare.plan_trials import plan_trial_dir
from zspex_toolkit.prepare.render_trials import Config as RenderConfig
from zspex_toolkit.prepare.render_trials import render_trial_dir
from zspex_toolkit.simulation.plan import read_trials

TABLES = ("wav.scp", "spk1.scp", "spk2.scp", "spk3.scp", "enroll_spk1.scp")


def make_data(root, num_speakers=4):
    utts = {f"s{spk}-{number}": f"s{spk}" for spk in range(num_speakers) for number in range(3)}
    for seed, utt in enumerate(utts):
        samples = 0.1 * np.random.default_rng(seed).normal(size=4000 + 500 * seed).clip(-3, 3)
        write_audio(root / "wav" / f"{utt}.wav", samples, 8000)
    wavs = {utt: str(root / "wav" / f"{utt}.wav") for utt in utts}
    genders = {spk: "fm"[int(spk[1]) % 2] for spk in utts.values()}
    write_data_dir(root / "data", wavs=wavs, utt2spk=utts, spk2gender=genders)
    return root / "data"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Trials of all conditions, with their audio in dump/."""
    root = tmp_path_factory.mktemp("trials")
    data = make_data(root)
    plan_trial_dir(
        PlanConfig(data, root / "trials", mixtures_per_utterance=2, absent_share=0.3, single_share=0.3, seed=2)
    )
    render_trial_dir(RenderConfig(root / "trials", data, root / "dump"))
    return root


def tables_of(root):
    return {name: read_table(root / "trials" / name) for name in TABLES}


def audio(path):
    return read_audio(path, fs=8000)[0]


def conditions(root, condition):
    found = read_table(root / "trials" / "utt2condition")
    chosen = [trial for trial, value in found.items() if value == condition]
    assert chosen
    return chosen


def test_the_directory_is_valid_with_its_audio(rendered):
    findings = check_data_dir(rendered / "trials", check_audio=True)
    assert not findings.faults and not findings.warnings


def test_the_mixture_is_the_sum_of_its_sources_to_the_last_bit(rendered):
    tables = tables_of(rendered)
    for trial, mixture in tables["wav.scp"].items():
        total = sum(audio(tables[name][trial]) for name in TABLES[1:4] if trial in tables[name])
        assert np.array_equal(audio(mixture), total)


def test_both_roles_share_the_files_of_one_mixture_crosswise(rendered):
    tables = tables_of(rendered)
    mixture_of, speaker, other = (read_table(rendered / "trials" / n) for n in ("utt2mixture", "utt2spk", "utt2spk2"))
    for trial in conditions(rendered, "present"):
        twin = f"{other[trial]}-{mixture_of[trial]}"
        assert tables["wav.scp"][twin] == tables["wav.scp"][trial]
        assert (tables["spk1.scp"][twin], tables["spk2.scp"][twin]) == (
            tables["spk2.scp"][trial],
            tables["spk1.scp"][trial],
        )
        assert other[twin] == speaker[trial]


def test_an_absent_speaker_has_a_silent_reference_and_two_interferers(rendered):
    tables = tables_of(rendered)
    for trial in conditions(rendered, "absent"):
        assert not audio(tables["spk1.scp"][trial]).any()
        assert trial in tables["spk2.scp"] and trial in tables["spk3.scp"]


def test_a_lone_target_is_the_mixture_and_has_no_interferer(rendered):
    tables = tables_of(rendered)
    for trial in conditions(rendered, "single"):
        assert np.array_equal(audio(tables["spk1.scp"][trial]), audio(tables["wav.scp"][trial]))
        assert trial not in tables["spk2.scp"]


def test_an_enrollment_is_the_utterance_that_was_planned(rendered):
    table = tables_of(rendered)["enroll_spk1.scp"]
    sources = {utt: audio(path) for utt, path in read_table(rendered / "data" / "wav.scp").items()}
    for path in set(table.values()):
        assert any(np.array_equal(audio(path), samples) for samples in sources.values())


def test_everyone_who_speaks_has_a_gender(rendered):
    assert read_table(rendered / "trials" / "spk2gender") == {"s0": "f", "s1": "m", "s2": "f", "s3": "m"}


def test_what_is_there_is_kept_and_what_is_missing_made_again(rendered, capsys):
    files = {path: path.stat().st_mtime_ns for path in (rendered / "dump").rglob("*.wav")}
    lost = sorted((rendered / "dump" / "spk2").glob("*.wav"))[0]
    silent, enrolled = (sorted((rendered / "dump" / name).glob("*.wav"))[0] for name in ("silence", "enrollment"))
    before = {path: path.read_bytes() for path in (lost, silent, enrolled)}
    for path in before:
        path.unlink()
    render_trial_dir(RenderConfig(rendered / "trials", rendered / "data", rendered / "dump", nj=2))
    assert "1 mixtures rendered" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in before} == before
    again = {lost.parents[1] / name / lost.name for name in ("wav", "spk1", "spk2")} | set(before)
    assert {path for path, when in files.items() if path.stat().st_mtime_ns != when} == again


def test_a_part_of_the_trials_is_a_valid_directory_again(rendered, tmp_path):
    (tmp_path / "list").write_text("".join(f"{trial}\n" for trial in conditions(rendered, "single")))
    subset_data_dir(Config(rendered / "trials", tmp_path / "single", utterances=tmp_path / "list"))
    assert not (tmp_path / "single" / "spk2.scp").exists()
    assert not check_data_dir(tmp_path / "single", check_audio=True).faults


def test_fixing_drops_a_trial_without_enrollment_and_no_lone_target(rendered, tmp_path):
    subset_data_dir(Config(rendered / "trials", tmp_path / "trials", first=10**6))
    lines = (tmp_path / "trials" / "enroll_spk1.scp").read_text().splitlines(keepends=True)
    (tmp_path / "trials" / "enroll_spk1.scp").write_text("".join(lines[1:]))
    repair = fix_data_dir(FixConfig(tmp_path / "trials"))
    assert repair.num_before - repair.num_after == 1
    assert not check_data_dir(tmp_path / "trials").faults


def test_three_speakers_make_a_valid_directory_whose_mixtures_are_their_sum(tmp_path):
    data = make_data(tmp_path)
    plan_trial_dir(PlanConfig(data, tmp_path / "trials", num_speakers=3, absent_share=0.2, single_share=0.2, seed=1))
    render_trial_dir(RenderConfig(tmp_path / "trials", data, tmp_path / "dump"))
    findings = check_data_dir(tmp_path / "trials", check_audio=True)
    assert not findings.faults and not findings.warnings
    tables = [read_table(tmp_path / "trials" / name) for name in ("spk1.scp", "spk2.scp", "spk3.scp", "spk4.scp")]
    found = read_table(tmp_path / "trials" / "utt2condition")
    expected = {"present": 3, "absent": 4, "single": 1}
    assert {*found.values()} == {*expected}
    for trial, mixture in read_table(tmp_path / "trials" / "wav.scp").items():
        parts = [audio(table[trial]) for table in tables if trial in table]
        assert len(parts) == expected[found[trial]] and np.array_equal(audio(mixture), sum(parts))


def test_all_conditions_make_a_valid_directory_whose_mixtures_are_their_sum(tmp_path):
    data = make_data(tmp_path)
    shares = {f"{name}_share": 0.4 for name in ("third", "partial", "channel", "absent", "single")}
    options = {**shares, "treat_enrollments": True, "gain_db": (-30.0, 0.0), "mode": "max", "seed": 2}
    plan_trial_dir(PlanConfig(data, tmp_path / "trials", mixtures_per_utterance=2, **options))
    render_trial_dir(RenderConfig(tmp_path / "trials", data, tmp_path / "dump"))
    findings = check_data_dir(tmp_path / "trials", check_audio=True)
    assert not findings.faults and not findings.warnings
    names = ("spk1.scp", "spk2.scp", "spk3.scp", "spk4.scp", "noise1.scp")
    tables = [read_table(tmp_path / "trials" / name) for name in names]
    mixtures = read_table(tmp_path / "trials" / "wav.scp")
    assert all(0 < len(table) < len(mixtures) for table in tables[1:])
    for trial, mixture in mixtures.items():
        assert np.array_equal(audio(mixture), sum(audio(table[trial]) for table in tables if trial in table))
    distorts = {
        t.id for t in read_trials(tmp_path / "trials" / "plan.jsonl") if (c := t.mixture.channel) and c.distorts
    }
    assert distorts == tables[4].keys()


def test_an_utterance_that_became_shorter_is_named(tmp_path):
    data = make_data(tmp_path, num_speakers=2)
    plan_trial_dir(PlanConfig(data, tmp_path / "trials", max_seconds=0.1, single_share=1.0))
    trial = read_trials(tmp_path / "trials" / "plan.jsonl")[0]
    utt = trial.enrollment.passage.utterances[0]
    write_audio(tmp_path / "wav" / f"{utt}.wav", audio(tmp_path / "wav" / f"{utt}.wav")[:1000], 8000)
    with pytest.raises(DataDirError, match=r"the plan needs .* plan again if the audio has changed"):
        render_trial_dir(RenderConfig(tmp_path / "trials", data, tmp_path / "dump"))
    assert not (tmp_path / "trials" / "utt2spk").exists()


OLD_PLAN = (  # as the toolkit wrote it before sources were passages
    '{"id": "s0-s0-0_s1-0", "spk": "s0", "condition": "present", "role": 1, "enrollment": {"utts": ["s0-1", "s0-2"],'
    ' "start": 900, "num_samples": 6000}, "mixture": {"id": "s0-0_s1-0", "sources": [{"utt": "s0-0", "spk": "s0",'
    ' "start": 100, "offset": 0, "num_samples": 3000, "gain": 1.0, "speed": 1.0, "room": null}, {"utt": "s1-0", "spk":'
    ' "s1", "start": 7, "offset": 500, "num_samples": 2500, "gain": 0.5, "speed": 1.0, "room": null}], "snr_db": 6.0,'
    ' "fs": 8000, "num_samples": 3000, "seed": 0, "gain": 0.9, "noise": null}}\n'
)


def test_an_old_plan_gives_the_samples_and_names_that_it_always_gave(tmp_path):
    data = make_data(tmp_path)
    (tmp_path / "trials").mkdir()
    (tmp_path / "trials" / "plan.jsonl").write_text(OLD_PLAN)
    render_trial_dir(RenderConfig(tmp_path / "trials", data, tmp_path / "dump"))
    one, two, *enrollment = (audio(tmp_path / "wav" / f"{utt}.wav") for utt in ("s0-0", "s1-0", "s0-1", "s0-2"))
    expected = np.rint(one[100:3100] * np.float32(0.9 * 32768))
    expected[500:] += np.rint(two[7:2507] * np.float32(0.45 * 32768))
    assert np.array_equal(audio(tmp_path / "dump" / "wav" / "s0-0_s1-0.wav") * 32768, expected)
    # The hash is of s0-1, s0-2, 900 and 6000: names are part of the hashes by which results tell their lists.
    enrolled = audio(tmp_path / "dump" / "enrollment" / "s0-1-a36b69ed.wav")
    assert np.array_equal(enrolled, np.concatenate(enrollment)[900:6900])


def test_speech_that_lies_where_a_lone_target_would_be_rendered_is_kept(tmp_path):
    data = make_data(tmp_path)
    plan_trial_dir(PlanConfig(data, tmp_path / "trials", single_share=1.0))
    with pytest.raises(ConfigError, match=r"wav/s0-0\.wav is there, but not from rendering; give --out another folder"):
        render_trial_dir(RenderConfig(tmp_path / "trials", data, tmp_path))
    assert (tmp_path / "wav" / "s0-0.wav").exists()
