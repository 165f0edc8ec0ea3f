"""TIMIT: NIST SPHERE files, any letter case, the SA sentences left out."""

import re

from zspex_toolkit.corpora import timit
from zspex_toolkit.io.data_dir import DataDir


def test_eight_sentences_of_each_speaker_remain(root, tmp_path, capsys):
    data = DataDir.load(timit.prepare(root, tmp_path / "data")[0])
    assert {len(utts) for utts in data.spk2utt.values()} == {8}
    assert "timit: in 80, kept 64, dropped 16 (SA sentence: 16)\n" in capsys.readouterr().out


def test_ids_are_capitals_whatever_the_release_uses(root, tmp_path):
    data = DataDir.load(timit.prepare(root, tmp_path / "data")[0])
    assert sorted(data.spk2utt) == ["FADG0", "FAKS0", "FCJF0", "FDAW0", "MCPM0", "MDAB0", "MDAC0", "MWBT0"]
    assert all(re.fullmatch(r"[FM][A-Z0-9]{4}-S[XI]\d+", utt) for utt in data.utterances)
    assert data.wavs["FADG0-SX14"].endswith("/test/dr1/fadg0/sx14.wav")


def test_gender_is_the_first_letter_and_text_comes_from_the_txt_file(root, tmp_path):
    data = DataDir.load(timit.prepare(root, tmp_path / "data")[0])
    assert data.table("spk2gender")["FCJF0"] == "f"
    assert data.table("spk2gender")["MWBT0"] == "m"
    assert data.table("text")["FADG0-SX14"] == "SHE SAYS SENTENCE SX14 SLOWLY"


def test_the_sa_sentences_can_be_kept(root, tmp_path):
    data = DataDir.load(timit.prepare(root, tmp_path / "data", keep_sa=True)[0])
    assert {len(utts) for utts in data.spk2utt.values()} == {10}


def test_a_part_of_the_corpus_is_used_with_a_warning(root, tmp_path, capsys):
    timit.prepare(root, tmp_path / "data")
    warning = "timit: warning: 8 speakers and 64 utterances; the whole corpus has 630 and 5,040"
    assert warning in capsys.readouterr().out


def test_the_whole_corpus_warns_of_nothing(capsys):
    timit._compare_with_the_whole(630, 5040, 8)
    assert capsys.readouterr().out == ""


def test_other_wav_files_and_second_copies_are_counted(root, tmp_path, capsys):
    copy = root / "old" / "TRAIN" / "DR1" / "FCJF0" / "SX10.WAV"
    copy.parent.mkdir(parents=True)
    copy.write_bytes((root / "TRAIN/DR1/FCJF0/SX10.WAV").read_bytes())
    (root / "TRAIN/DR1/FCJF0/SX10.WAV.wav").write_bytes(copy.read_bytes())
    timit.prepare(root, tmp_path)
    dropped = (tmp_path / "dropped.txt").read_text()
    assert "old/TRAIN/DR1/FCJF0/SX10.WAV second copy\n" in dropped
    assert "TRAIN/DR1/FCJF0/SX10.WAV.wav name is not {TRAIN,TEST}/DR?/<SPK>/<SENTENCE>.WAV\n" in dropped


def test_without_transcripts_there_is_no_text_table_and_a_line_says_so(root, tmp_path, capsys):
    (root / "TRAIN/DR1/FCJF0/SX10.TXT").unlink()
    timit.prepare(root, tmp_path)
    assert not (tmp_path / "all" / "text").exists()
    assert "timit: 1 utterances lack a transcript: no text" in capsys.readouterr().out
