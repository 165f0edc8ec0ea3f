from zspex_toolkit.text.trn import write_trn


def test_the_speaker_stands_before_the_first_hyphen(tmp_path):
    write_trn(tmp_path / "a.trn", {"x-y-2": "B", "x-y-1": ""}, {"x-y-1": "x-y", "x-y-2": "x-y"})
    assert (tmp_path / "a.trn").read_text() == "(x_y-1)\nB (x_y-2)\n"
