"""Audio of a corpus's lists: made once, checked per file, made anew when its recipe changes."""

import os
import signal

import numpy as np
import pytest

from zspex_toolkit.corpora.support.rendering import Rendering, render_missing
from zspex_toolkit.errors import AudioError, JobError
from zspex_toolkit.io.audio import read_audio, write_audio


def constant(recipe: str) -> dict[str, np.ndarray]:
    """A tenth of a second of the number in the recipe."""
    return {"mix": np.full(800, int(recipe), dtype=np.int16)}


def killed(recipe: str) -> dict[str, np.ndarray]:
    os.kill(os.getpid(), signal.SIGKILL)


def rendering(folder, name: str, recipe: str, num_samples: int = 800, fs: int = 8000) -> Rendering:
    return Rendering(name, recipe, {"mix": folder / f"{name}.wav"}, num_samples, fs)


def render(folder, *renderings, signals_of=constant, nj=1):
    render_missing(renderings, signals_of, folder, nj=nj, label="set")


def test_what_is_there_and_whole_is_kept(tmp_path, capsys):
    render(tmp_path, rendering(tmp_path, "a", "1"))
    render(tmp_path, rendering(tmp_path, "a", "1"), rendering(tmp_path, "b", "2"))
    lines = ["set: 1 in, 1 rendered, 0 already there", "set: 2 in, 1 rendered, 1 already there"]
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(("num_samples", "fs"), [(700, 8000), (800, 16000)])
def test_a_file_of_another_length_or_rate_is_made_anew(tmp_path, num_samples, fs):
    render(tmp_path, rendering(tmp_path, "a", "1"))
    write_audio(tmp_path / "a.wav", np.full(num_samples, 0.5), fs)
    render(tmp_path, rendering(tmp_path, "a", "1"))
    samples, rate = read_audio(tmp_path / "a.wav")
    assert (len(samples), rate, samples[0] * 32768) == (800, 8000, 1)


def test_a_file_made_from_another_recipe_is_made_anew(tmp_path):
    render(tmp_path, rendering(tmp_path, "a", "1"))
    render(tmp_path, rendering(tmp_path, "a", "5"))
    assert read_audio(tmp_path / "a.wav")[0][0] * 32768 == 5


def test_a_file_from_elsewhere_is_taken_as_it_is(tmp_path):
    write_audio(tmp_path / "a.wav", np.full(800, 0.5), 8000)
    render(tmp_path, rendering(tmp_path, "a", "1"))
    assert read_audio(tmp_path / "a.wav")[0][0] == 0.5


def test_audio_of_another_length_than_the_headers_say_is_refused(tmp_path):
    with pytest.raises(AudioError) as error:
        render(tmp_path, rendering(tmp_path, "a", "1", num_samples=900))
    message = "mixture a: expected 900 samples, as the headers of its sources say, got 800"
    assert str(error.value) == message
    assert not (tmp_path / "a.wav").exists()


def test_a_killed_process_is_one_clear_line(tmp_path):
    with pytest.raises(JobError, match=r"^set: a process was killed; out of memory\? Finished files are kept"):
        render(tmp_path, *(rendering(tmp_path, name, "1") for name in "ab"), signals_of=killed, nj=2)
