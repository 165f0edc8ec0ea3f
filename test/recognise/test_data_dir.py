import json

import pytest

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.table import read_table
from zspex_toolkit.recognise.data_dir import Config, recognise_data_dir
from zspex_toolkit.report.recognition import Config as ReportConfig
from zspex_toolkit.report.recognition import report_recognition
from zspex_toolkit.score.words import Config as ScoreConfig
from zspex_toolkit.score.words import score_text

pytest.importorskip("sentencepiece")
pytest.importorskip("kaldialign")


def test_a_data_directory_is_recognised_scored_and_reported(tones, tmp_path, capsys):
    out = tmp_path / "recognised/test"
    recognise_data_dir(Config(tones / "exp", tones / "data/test", out, batch_seconds=5.0, device="cpu"))
    assert read_table(out / "text").keys() == read_table(tones / "data/test/text").keys()
    assert "16 utterances, 0 of them without a word" in capsys.readouterr().out
    assert score_text(ScoreConfig(tones / "data/test", out / "text", out / "score")).rate < 10
    (tmp_path / "recogniser").symlink_to(tones / "exp")
    results = report_recognition(ReportConfig(tmp_path, tmp_path / "page", ("test",), "tones", "x"))
    page = (tmp_path / "page/RESULTS.md").read_text()
    assert f"| test | 2 | {results['sets']['test']['words']} | {results['sets']['test']['wer']:.2f} |" in page
    assert json.loads((tmp_path / "page/results.json").read_text())["recogniser"]["epochs"] == 10


def test_audio_of_another_rate_is_refused(tones, tmp_path, speech_dir):
    with pytest.raises(AudioError):
        recognise_data_dir(Config(tones / "exp", speech_dir, tmp_path, device="cpu"))
    assert not (tmp_path / "text").exists()
