"""No command writes over what it reads, under whatever path it is named."""

import os

import pytest

from zspex_toolkit.corpora.support import join, speaker_splits
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract import demix, embeddings, enroll, packed_model, trials
from zspex_toolkit.io import combine, subset
from zspex_toolkit.io.overwriting import refuse_overwriting
from zspex_toolkit.prepare import change_voices, pack_audio, plan_mixtures, plan_trials, resample_data_dir

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
