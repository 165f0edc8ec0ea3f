"""Tests of rendering planned mixtures into a data directory."""

import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.io.atomic import write_text
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.io.table import read_table, write_table
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare.plan_mixtures import Config as PlanConfig
from zspex_toolkit.prepare.plan_mixtures import plan_data_dir
from zspex_toolkit.prepare.render_mixtures import Config as RenderConfig
from zspex_toolkit.prepare.render_mixtures import render_data_dir
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.plan import read_plans, to_line

FS = 8000


@pytest.fixture
def data(tmp_path):
    """Three speakers with three utterances of about 0.6 s each."""
    utts = {f"{spk}-{number}": spk for spk in ("ada", "bob", "cy") for number in range(3)}
    for position, utt in enumerate(utts):
        noise = rng_for(0, utt).standard_normal(FS * 6 // 10 + 10 * position)
        write_audio(tmp_path / "source" / f"{utt}.flac", np.clip(0.1 * noise, -1, 1), FS)
    write_data_dir(
        tmp_path / "data", wavs={utt: str(tmp_path / "source" / f"{utt}.flac") for utt in utts}, utt2spk=utts
    )
    return tmp_path / "data"


@pytest.fixture
def mix(data, tmp_path):
    plan_data_dir(PlanConfig(data, tmp_path / "mix", snr_db=(5.0,)))
    return tmp_path / "mix"


def audio(folder) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.glob("*/[!.]*"))}


def integers(path) -> np.ndarray:
    return soundfile.read(path, dtype="int16")[0].astype(int)


@pytest.mark.parametrize("options", [{}, {"num_speakers": 3, "mode": "max", "snr_db": (-5.0, 5.0)}])
@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_the_stored_mixture_is_the_sum_of_the_stored_sources(data, tmp_path, options, audio_format):
    plan_data_dir(PlanConfig(data, tmp_path / "mix", **options))
    plans = read_plans(tmp_path / "mix" / "plan.jsonl")
    render_data_dir(
        RenderConfig(tmp_path / "mix", data, tmp_path / "dump", store_sources=True, audio_format=audio_format)
    )
    tables = [read_table(tmp_path / "mix" / f"spk{n}.scp") for n in range(1, len(plans[0].sources) + 1)]
    for utt, path in read_table(tmp_path / "mix" / "wav.scp").items():
        assert path.endswith(audio_format)
        assert np.array_equal(integers(path), sum(integers(table[utt]) for table in tables))


def test_the_stored_sources_have_the_asked_snr(mix, data, tmp_path):
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump", store_sources=True))
    target, interferer = read_table(mix / "spk1.scp"), read_table(mix / "spk2.scp")
    for utt in target:
        ratio = power(integers(target[utt])) / power(integers(interferer[utt]))
        assert 10 * np.log10(ratio) == pytest.approx(5.0, abs=0.01)


def test_noise_is_stored_beside_the_sources_and_part_of_the_sum(data, tmp_path):
    write_audio(tmp_path / "noise" / "tap.wav", 0.1 * np.sin(np.arange(3000)), FS)
    plan_data_dir(PlanConfig(data, tmp_path / "mix", noise_dir=tmp_path / "noise", noise_snr_db=(10.0,)))
    render_data_dir(
        RenderConfig(tmp_path / "mix", data, tmp_path / "dump", noise_dir=tmp_path / "noise", store_sources=True)
    )
    tables = [read_table(tmp_path / "mix" / name) for name in ("wav.scp", "spk1.scp", "spk2.scp", "noise1.scp")]
    for utt in tables[0]:
        mixture, target, interferer, noise = (integers(table[utt]) for table in tables)
        assert np.array_equal(mixture, target + interferer + noise)
        assert 10 * np.log10(power(target + interferer) / power(noise)) == pytest.approx(10.0, abs=0.02)


def test_the_folder_becomes_a_data_directory(mix, data, tmp_path, capsys):
    capsys.readouterr()
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    directory = DataDir.load(mix)
    plans = read_plans(mix / "plan.jsonl")
    assert directory.utterances == [plan.id for plan in plans]
    for plan in plans:
        samples, fs = directory.read_audio(plan.id)
        assert (len(samples), fs) == (plan.num_samples, FS)
        assert int(directory.table("utt2num_samples")[plan.id]) == plan.num_samples
        assert directory.utt2spk[plan.id] == plan.sources[0].spk
        assert directory.table("utt2spk2")[plan.id] == plan.sources[1].spk != directory.utt2spk[plan.id]
    assert not (mix / "spk1.scp").exists()
    assert capsys.readouterr().out == f"{mix}: 9 mixtures in, 9 rendered, 0 already there, 0 dropped\n"


def test_any_number_of_processes_writes_the_same_audio(mix, data, tmp_path):
    for nj in (1, 3):
        (tmp_path / f"mix{nj}").mkdir()
        (tmp_path / f"mix{nj}" / "plan.jsonl").write_bytes((mix / "plan.jsonl").read_bytes())
        render_data_dir(RenderConfig(tmp_path / f"mix{nj}", data, tmp_path / f"dump{nj}", nj=nj))
    assert audio(tmp_path / "dump1") == audio(tmp_path / "dump3")


def test_a_killed_run_goes_on_where_it_stopped(mix, data, tmp_path, capsys):
    plans, out, go = read_plans(mix / "plan.jsonl"), tmp_path / "dump", tmp_path / "go"
    # The audio of one utterance, not of the first mixture, waits for the file "go": the run is killed meanwhile.
    wavs = read_table(data / "wav.scp")
    held = next(utt for utt in wavs if utt[:2] not in {source.spk[:2] for source in plans[0].sources})
    wavs[held] = f"until [ -e {go} ]; do sleep 0.02; done; cat {wavs[held]} |"
    write_table(data / "wav.scp", wavs)
    command = [sys.executable, "-m", "zspex_toolkit.bin.render_mixtures", "--data", mix, "--source_data", data]
    process = subprocess.Popen([*command, "--out", out])
    while not (out / "wav" / f"{plans[0].id}.wav").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    go.touch()
    assert not (mix / "utt2spk").exists()  # no data directory before all of its audio is there
    finished = {path: path.stat().st_mtime_ns for path in out.glob("wav/[!.]*.wav")}
    assert 1 <= len(finished) < 9
    capsys.readouterr()
    render_data_dir(RenderConfig(mix, data, out))
    assert f"{9 - len(finished)} rendered, {len(finished)} already there" in capsys.readouterr().out
    assert all(path.stat().st_mtime_ns == written for path, written in finished.items())
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "plan.jsonl").write_bytes((mix / "plan.jsonl").read_bytes())
    render_data_dir(RenderConfig(tmp_path / "again", data, tmp_path / "whole"))
    assert audio(out) == audio(tmp_path / "whole")


def test_another_plan_replaces_only_what_it_changed(mix, data, tmp_path, capsys):
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    before = audio(tmp_path / "dump")
    plans = read_plans(mix / "plan.jsonl")
    plan_data_dir(PlanConfig(data, tmp_path / "other", snr_db=(-5.0,)))
    other = {plan.id: plan for plan in read_plans(tmp_path / "other" / "plan.jsonl")}
    lines = [f"{to_line(plan)}\n" for plan in (other[plans[0].id], *plans[1:])]
    write_text(mix / "plan.jsonl", "".join(lines))
    capsys.readouterr()
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    assert "1 rendered, 8 already there" in capsys.readouterr().out
    after = audio(tmp_path / "dump")
    assert [name for name in before if before[name] != after[name]] == [f"wav/{plans[0].id}.wav"]


def test_audio_of_mixtures_that_left_the_plan_is_removed(mix, data, tmp_path):
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump", store_sources=True))
    (tmp_path / "dump" / "notes").mkdir()
    plans = read_plans(mix / "plan.jsonl")
    (tmp_path / "dump" / "notes" / f"{plans[0].id}.wav").write_text("not ours")
    write_text(mix / "plan.jsonl", "".join(f"{to_line(plan)}\n" for plan in plans[1:]))
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    names = {str(path.relative_to(tmp_path / "dump")) for path in (tmp_path / "dump").glob(f"*/{plans[0].id}.*")}
    assert names == {f"notes/{plans[0].id}.wav"}
    assert len(list((tmp_path / "dump" / "spk2").iterdir())) == 8


def test_two_sets_do_not_share_a_folder(mix, data, tmp_path):
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    before = audio(tmp_path / "dump")
    plan_data_dir(PlanConfig(data, tmp_path / "loud", snr_db=(9.0,)))
    with pytest.raises(ConfigError, match=r"dump: holds the mixtures of .*mix; give those of .*loud another --out"):
        render_data_dir(RenderConfig(tmp_path / "loud", data, tmp_path / "dump"))
    assert audio(tmp_path / "dump") == before


def test_sources_asked_for_later_are_added(mix, data, tmp_path):
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump", store_sources=True))
    assert len(read_table(mix / "spk2.scp")) == 9


def test_audio_cut_short_by_hand_is_rendered_again(mix, data, tmp_path, capsys):
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    before = audio(tmp_path / "dump")
    first, second, *_ = sorted((tmp_path / "dump" / "wav").iterdir())
    first.write_bytes(first.read_bytes()[:500])
    second.write_bytes(b"")
    render_data_dir(RenderConfig(mix, data, tmp_path / "dump"))
    assert "2 rendered, 7 already there" in capsys.readouterr().out
    assert audio(tmp_path / "dump") == before


def test_audio_that_changed_since_planning_is_named(mix, data, tmp_path):
    write_audio(tmp_path / "source" / "cy-1.flac", np.full(800, 0.1), FS)
    with pytest.raises(DataDirError, match=r"utterance cy-1: the plan needs \d+ samples, found 7\d\d; plan again"):
        render_data_dir(RenderConfig(mix, data, tmp_path / "dump", nj=2))
    assert not (mix / "utt2spk").exists()


def test_an_unknown_format_is_refused(mix, data, tmp_path):
    with pytest.raises(ConfigError, match="audio_format: expected one of wav, flac, got 'mp3'"):
        render_data_dir(RenderConfig(mix, data, tmp_path / "dump", audio_format="mp3"))


def test_a_folder_without_a_plan_is_refused(data, tmp_path):
    with pytest.raises(DataDirError, match="no such file; write it with plan_mixtures"):
        render_data_dir(RenderConfig(data, data, tmp_path / "dump"))
