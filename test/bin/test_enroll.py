"""The command as a user types it."""

from zspex_toolkit.bin import enroll, extract


def test_a_clue_is_made_once_and_used(extraction, capsys):
    model = ("--model", str(extraction / "exp"), "--device", "cpu")
    recordings = f"{extraction}/me.wav,{extraction}/me_again.wav"
    enroll.main([*model, "--enrollment", recordings, "--output", f"{extraction}/me.clue"])
    assert capsys.readouterr().out == f"{extraction}/me.clue: the clue of 2 recordings\n"
    outputs = []
    for who in (("--enrollment", recordings), ("--clue", f"{extraction}/me.clue")):
        outputs.append(extraction / f"{who[0]}.wav")
        extract.main([*model, "--mixture", f"{extraction}/mix.wav", *who, "--output", str(outputs[-1])])
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
