"""No command writes over what it reads, under whatever path it is named."""

import os

import numpy as np
import pytest

from zspex_toolkit.corpora.support import join, speaker_splits
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract import demix, embeddings, enroll, packed_model, trials
from zspex_toolkit.io import combine, subset
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.overwriting import refuse_overwriting, refuse_sources_within
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.prepare import (
    change_voices,
    pack_audio,
    plan_mixtures,
    plan_trials,
    render_mixtures,
    render_trials,
    resample_data_dir,
)

COMMANDS = {
    "combine_data_dirs": lambda data, out, other: combine.combine_data_dirs(combine.CombineConfig((data, other), out)),
    "combine_data_dirs, second": lambda data, out, other: combine.combine_data_dirs(
        combine.CombineConfig((other, data), out)
    ),
    "copy_data_dir": lambda data, out, other: combine.copy_data_dir(combine.CopyConfig(data, out, utt_prefix="x-")),
    "subset_data_dir": lambda data, out, other: subset.subset_data_dir(subset.Config(data, out, first=1)),
    "subset_data_dir, list": lambda data, out, other: subset.subset_data_dir(
        subset.Config(other, out, utterances=data)
    ),
    "split_speakers": lambda data, out, other: speaker_splits.split_speakers(
        speaker_splits.SplitConfig(data, other, out)
    ),
    "hold_out_speakers": lambda data, out, other: speaker_splits.hold_out_speakers(
        speaker_splits.HoldOutConfig(data, out, 1)
    ),
    "join_corpora": lambda data, out, other: join.join_corpora(
        join.JoinConfig((f"mine={other}",), other_sets=(f"{out.name}={data}",), out=out.parent)
    ),
    "resample_data_dir": lambda data, out, other: resample_data_dir.resample_data_dir(
        resample_data_dir.Config(data, out, other)
    ),
    "change_voices": lambda data, out, other: change_voices.change_voices(change_voices.Config(data, out, other)),
    "pack_audio": lambda data, out, other: pack_audio.pack_audio(pack_audio.PackConfig(data, out, other)),
    "pack_audio, dump": lambda data, out, other: pack_audio.pack_audio(pack_audio.PackConfig(data, other, out)),
    "index_shards": lambda data, out, other: pack_audio.index_shards(pack_audio.IndexConfig((other, data), out)),
    "plan_mixtures": lambda data, out, other: plan_mixtures.plan_data_dir(plan_mixtures.Config(data, out)),
    "plan_trials": lambda data, out, other: plan_trials.plan_trial_dir(plan_trials.Config(data, out)),
    "extract_embeddings": lambda data, out, other: embeddings.extract_embeddings(
        embeddings.ExtractConfig(other, data, out)
    ),
    "average_embeddings": lambda data, out, other: embeddings.average_embeddings(
        embeddings.AverageConfig(other, data, out)
    ),
    "extract_trials": lambda data, out, other: trials.extract_trials(trials.Config(other, data, out)),
    "pack_model": lambda data, out, other: packed_model.pack_model(packed_model.Config(data, out)),
    "enroll": lambda data, out, other: enroll.enroll(enroll.Config(enrollment=(str(other), str(data)), output=out)),
    "demix": lambda data, out, other: demix.demix(demix.Config(other, str(data), (str(other),), out)),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["same", "dots", "link"])
def test_an_output_that_is_an_input_is_refused_and_stays(data, tmp_path, command, name):
    (tmp_path / "link").symlink_to(data)
    (tmp_path / "other").mkdir()
    output = {"same": data, "dots": data / ".." / "data", "link": tmp_path / "link"}[name]
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    refused = r"expected another place than the input|is a data directory of something else"
    with pytest.raises(UserError, match=refused):
        COMMANDS[command](data, output, tmp_path / "other")
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before
    assert os.listdir(tmp_path / "other") == []


def test_places_that_are_not_there_yet_are_compared_by_name(tmp_path):
    refuse_overwriting("out", tmp_path / "a", [tmp_path / "b", None])
    refuse_overwriting("out", None, [tmp_path / "b"])
    with pytest.raises(ConfigError, match=r"^out: expected another place than the input .*b, got .*b$"):
        refuse_overwriting("out", tmp_path / "c" / ".." / "b", [tmp_path / "b"])


def test_a_plan_is_not_made_in_the_place_of_the_mixtures_that_it_is_of(data):
    (data / "plan.jsonl").touch()
    for plan in (plan_mixtures.plan_data_dir, plan_trials.plan_trial_dir):
        module = plan_mixtures if plan is plan_mixtures.plan_data_dir else plan_trials
        with pytest.raises(ConfigError, match="out: expected another place than the input"):
            plan(module.Config(data, data))
    assert (data / "utt2spk").exists()


@pytest.mark.parametrize("source", ["audio/a.wav", "audio/../audio/a.wav", "link/a.wav", "audio/a.ark:12"])
def test_a_folder_to_write_in_which_recordings_of_the_input_lie_is_refused(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "audio").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "audio")
    with pytest.raises(ConfigError, match=r"^dump: audio holds other audio, such as a\.\w+; give another folder$"):
        refuse_sources_within("dump", "audio", ["elsewhere/b.wav", source])
    refuse_sources_within("dump", "audio", ["elsewhere/b.wav", "audio/deeper/b.wav", "cat audio/a.wav |"])


@pytest.mark.parametrize(
    ("make", "folder"),
    [
        (
            lambda data, out: resample_data_dir.resample_data_dir(resample_data_dir.Config(data, out, data.parent)),
            "wav",
        ),
        (lambda data, out: change_voices.change_voices(change_voices.Config(data, out, data.parent)), "flac"),
        (lambda data, out: pack_audio.pack_audio(pack_audio.PackConfig(data, out, data.parent / "flac")), "flac"),
    ],
    ids=["resample_data_dir", "change_voices", "pack_audio"],
)
def test_the_second_run_of_a_command_does_not_remove_what_its_first_run_made(tmp_path, make, folder):
    pytest.importorskip("parselmouth")
    path = tmp_path / folder / f"u1.{folder}"
    write_audio(path, np.sin(np.arange(8000) / 5).astype(np.float32) / 2, 16000)
    write_data_dir(tmp_path / "data", wavs={"u1": str(path)}, utt2spk={"u1": "s1"})
    for record in ("resampled.json", "voices.json", "packed.json"):  # as if this command had written it
        (tmp_path / record).write_text('{"fs": 16000, "wavs": {}, "segments": null, "marks": {}}')
    with pytest.raises(ConfigError, match=r"holds other \w+, such as u1\.\w+; give another folder"):
        make(tmp_path / "data", tmp_path / "out")
    assert path.exists()


@pytest.mark.parametrize("render", [render_mixtures.render_data_dir, render_trials.render_trial_dir])
def test_mixtures_are_not_rendered_into_the_data_directory_that_they_are_of(data, render):
    module = render_mixtures if render is render_mixtures.render_data_dir else render_trials
    before = (data / "utt2spk").read_bytes()
    (data / "plan.jsonl").touch()
    with pytest.raises(ConfigError, match="data: expected another place than the input"):
        render(module.Config(data, data, data.parent / "dump"))
    assert (data / "utt2spk").read_bytes() == before
