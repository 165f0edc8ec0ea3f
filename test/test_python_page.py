"""The names that scripts may use, and docs/python.md with an example of each."""

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zspex_toolkit

PAGE = Path(__file__).parents[1] / "docs" / "python.md"


@pytest.mark.parametrize("name", zspex_toolkit.__all__)
def test_every_public_name_is_there_and_on_the_page(name):
    assert getattr(zspex_toolkit, name) is not None
    assert name == "__version__" or f"`{name}`" in PAGE.read_text(encoding="utf-8")


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'extractor_of_my_own'"):
        _ = zspex_toolkit.extractor_of_my_own


def test_the_package_alone_does_not_import_torch():
    code = "import sys, zspex_toolkit; zspex_toolkit.DataDir; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0


def test_a_demixer_gives_the_other_embedding(experiment):
    demixer = zspex_toolkit.Demixer(_network(experiment))
    samples = np.random.default_rng(0).standard_normal(demixer.fs).astype(np.float32) / 10
    assert demixer.demix(samples, demixer.embed_known(samples)).shape == (12,)


def _network(experiment: Path) -> Path:
    return next(path for path in sorted(experiment.glob("demix_e2_snr0_*")) if (path / "done").exists())
