import numpy as np

from zspex_toolkit.infer.vad_job import vad_job
from zspex_toolkit.io.archive import ArchiveWriter, read_scp
from zspex_toolkit.io.write import write_data_dir
from zspex_toolkit.signal.vad_config import VadConfig


def test_the_log_tells_the_share_of_voiced_frames_and_how_many_utterances_have_none(tmp_path, capsys):
    write_data_dir(tmp_path / "d", wavs={"a-1": "x", "a-2": "y"}, utt2spk={"a-1": "a", "a-2": "a"})
    with ArchiveWriter(tmp_path / "feats.ark", tmp_path / "d" / "feats.scp") as writer:
        writer["a-1"] = np.array([[9.0, 0], [1, 0], [9, 0]])
        writer["a-2"] = np.array([[1.0, 0]])
    config = VadConfig(energy_threshold=5.0, energy_mean_scale=0.0, frames_context=0)
    vad_job(tmp_path / "d", tmp_path, config=config, job=1, nj=1)
    assert "2 of 4 frames are voiced; 1 utterances have no voiced frame at all" in capsys.readouterr().out
    assert [vector.tolist() for vector in read_scp(tmp_path / "scp.1").values()] == [[1, 0, 1], [0]]
