"""One job or a list of many: lists are checked before anything is done, and one that fails does not lose the others."""

import numpy as np
import pytest
from support.filter_extractor import FS, PRESENCE, FilterExtractor, high_noise, low_noise, spec

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract import jobs as extract_jobs
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.jobs import Config, Job, extract, read_jobs
from zspex_toolkit.io.audio import audio_info, read_audio, write_audio


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Recordings, and an extractor whose answer is known in place of a trained one."""
    write_audio(tmp_path / "mix.wav", low_noise(2 * FS) + high_noise(2 * FS), FS)
    write_audio(tmp_path / "others.wav", high_noise(FS), FS)
    write_audio(tmp_path / "me.wav", low_noise(FS, 5), FS)
    write_audio(tmp_path / "silent.wav", np.zeros(FS), FS)
    known = Extractor(spec(PRESENCE), FilterExtractor(), "cpu")
    monkeypatch.setattr(extract_jobs.Extractor, "load", lambda model, device: known)
    return tmp_path


def write_list(folder, *lines):
    text = "".join("\t".join(str(folder / name) for name in line) + "\n" for line in lines)
    (folder / "jobs.tsv").write_text(text)
    return folder / "jobs.tsv"


def test_one_job_tells_length_and_presence(folder, capsys):
    out = folder / "new" / "out.wav"
    extract(Config(mixture=str(folder / "mix.wav"), enrollment=(str(folder / "me.wav"),), output=out))
    assert capsys.readouterr().out == f"{out}: 2.00 s, presence 0.999\n"
    assert audio_info(out).num_samples == 2 * FS


def test_all_jobs_of_a_list_are_done(folder, capsys):
    path = write_list(folder, ("mix.wav", "me.wav", "a.wav"), ("others.wav", "me.wav", "b.wav"))
    extract(Config(list=path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{folder}/a.wav: 2.00 s, presence 0.999"
    assert lines[1].startswith(f"{folder}/b.wav: 1.00 s, presence 0.0")
    assert lines[2] == f"{path}: 2 jobs in, 2 done, 0 failed"


def test_a_job_that_fails_is_named_and_does_not_lose_the_others(folder, capsys):
    path = write_list(
        folder, ("none.wav", "me.wav", "a.wav"), ("mix.wav", "silent.wav", "b.wav"), ("mix.wav", "me.wav", "c.wav")
    )
    with pytest.raises(UserError) as error:
        extract(Config(list=path))
    assert str(error.value) == f"2 of 3 jobs failed: {path}:1, {path}:2"
    said = capsys.readouterr()
    assert f"{path}:1: {folder}/none.wav: no such file or directory" in said.err.splitlines()
    assert f"{path}:2: {folder}/silent.wav: silent: no speech to know the speaker by" in said.err.splitlines()
    assert f"{path}: 3 jobs in, 1 done, 2 failed" in said.out
    assert [(folder / name).exists() for name in ("a.wav", "b.wav", "c.wav")] == [False, False, True]


def test_an_enrollment_that_jobs_share_is_heard_once(folder, monkeypatch):
    calls = []
    make = extract_jobs.clue_of
    monkeypatch.setattr(extract_jobs, "clue_of", lambda *given: calls.append(given[1]) or make(*given))
    extract(Config(list=write_list(folder, ("mix.wav", "me.wav", "a.wav"), ("others.wav", "me.wav", "b.wav"))))
    assert calls == [(f"{folder}/me.wav",)]


def test_several_enrollments_stand_in_one_field(tmp_path):
    (tmp_path / "jobs.tsv").write_text("# mixture, enrollment, output\n\nmix.wav\ta.wav, b.wav\tout.wav\n")
    (job,) = read_jobs(tmp_path / "jobs.tsv")
    assert job == Job(f"{tmp_path}/jobs.tsv:3", "mix.wav", ("a.wav", "b.wav"), job.output)
    assert str(job.output) == "out.wav"


def test_a_list_from_a_spreadsheet_is_read(tmp_path):
    (tmp_path / "jobs.tsv").write_bytes(b"\xef\xbb\xbfmix.wav\ta.wav\tout.wav\r\n")
    (job,) = read_jobs(tmp_path / "jobs.tsv")
    assert (job.mixture, job.enrollments, str(job.output)) == ("mix.wav", ("a.wav",), "out.wav")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a.wav b.wav c.wav\n",
            ":1: expected mixture, enrollment and output with tabs between, got 'a.wav b.wav c.wav'",
        ),
        (
            "a\tb\tc.wav\na\t\tc.wav\n",
            r":2: expected mixture, enrollment and output with tabs between, got 'a\\t\\tc.wav'",
        ),
        ("a\tb\tc.wav\nd\te\t./c.wav\n", r":2: c\.wav is the output of .*jobs\.tsv:1 too"),
        ("# nothing\n", ": holds no job; expected mixture, enrollment and output a line"),
    ],
)
def test_a_list_of_another_form_is_refused_before_anything_is_done(folder, text, message):
    (folder / "jobs.tsv").write_text(text)
    with pytest.raises(UserError, match=rf"jobs\.tsv{message}"):
        extract(Config(list=folder / "jobs.tsv"))


def test_a_list_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"jobs\.tsv: cannot read the list: no such file or directory"):
        read_jobs(tmp_path / "jobs.tsv")


def test_an_output_of_no_format_is_refused_before_anything_is_done(folder):
    path = write_list(folder, ("mix.wav", "me.wav", "a.wav"), ("mix.wav", "me.wav", "b.mp3"))
    with pytest.raises(ConfigError, match=r"jobs\.tsv:2: .*b\.mp3: expected a name that ends in \.wav or \.flac"):
        extract(Config(list=path))
    assert not (folder / "a.wav").exists()


def test_no_recording_of_any_job_is_overwritten(folder):
    before = (folder / "me.wav").read_bytes()
    path = write_list(folder, ("mix.wav", "me.wav", "a.wav"), ("others.wav", "mix.wav", "me.wav"))
    with pytest.raises(
        UserError, match=r"jobs\.tsv:2: .*me\.wav: is a recording to read; give the output another name"
    ):
        extract(Config(list=path))
    with pytest.raises(UserError, match=r"^/.*me\.wav: is a recording to read"):
        extract(Config(mixture=str(folder / "mix.wav"), enrollment=(str(folder / "me.wav"),), output=folder / "me.wav"))
    assert (folder / "me.wav").read_bytes() == before and not (folder / "a.wav").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mixture": "a.wav"}, "expected --enrollment or --clue, --output too, or --list with many jobs"),
        ({}, "expected --mixture, --enrollment or --clue, --output too"),
        (
            {"mixture": "a.wav", "list": "jobs.tsv"},
            "expected either --list or --mixture, --enrollment and --output, got",
        ),
    ],
)
def test_what_is_missing_is_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        extract(Config(**settings))


def test_a_model_without_presence_score_is_said_once(folder, monkeypatch, capsys):
    plain = Extractor(spec(), FilterExtractor(), "cpu")
    monkeypatch.setattr(extract_jobs.Extractor, "load", lambda model, device: plain)
    extract(Config(mixture=str(folder / "mix.wav"), enrollment=(str(folder / "me.wav"),), output=folder / "o.wav"))
    said = capsys.readouterr()
    assert said.out == f"{folder}/o.wav: 2.00 s, presence unknown\n"
    assert "presence unknown: this model was not calibrated for it, see calibrate_presence\n" in said.err
    assert read_audio(folder / "o.wav")[0].any()
