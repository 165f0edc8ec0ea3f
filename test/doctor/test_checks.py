"""What single checks find where something is wrong."""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
import safetensors.torch
import torch
from support.tiny_model import write_model

from zspex_toolkit.doctor.checks import disk, packages, recipe, scheduler
from zspex_toolkit.doctor.examine import findings_of
from zspex_toolkit.doctor.finding import FAULT, OK, WARNING, Asked

ROOT = Path(__file__).parents[2]


def states(findings):
    return [finding.state for finding in findings]


@pytest.fixture
def metadata_of(monkeypatch):
    """Put requirements and installed versions in the place of the real ones."""

    def put(requirements, versions):
        def version(name):
            if name not in versions:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        fake = SimpleNamespace(
            requires=lambda name: requirements, version=version, PackageNotFoundError=metadata.PackageNotFoundError
        )
        monkeypatch.setattr(packages, "metadata", fake)

    return put


def test_a_needed_package_that_is_missing_or_too_old_is_a_fault(metadata_of):
    metadata_of(["numpy>=1.26", "tqdm>=4", 'pesq>=0.0.4; extra == "pesq"'], {"numpy": "1.20", "pesq": "0.0.4"})
    _, old, missing, optional = packages.check_packages(Asked())
    assert (old.state, old.what) == (FAULT, "numpy: expected >=1.26, found 1.20")
    assert (missing.state, missing.what) == (FAULT, "tqdm is not installed")
    assert (optional.state, optional.what) == (OK, "[pesq] pesq 0.0.4")


def test_an_optional_package_that_is_missing_is_a_warning_that_says_how_to_get_it(metadata_of):
    metadata_of(["numpy>=1.26", 'onnx>=1.16; extra == "onnx"'], {"numpy": "2.0"})
    _, needed, optional = packages.check_packages(Asked())
    assert (needed.state, needed.what) == (OK, "numpy 2.0")
    assert optional.state == WARNING and "pip install 'zspex_toolkit[onnx]'" in optional.remedy


def test_little_space_is_a_warning(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1e9))
    assert states(disk.check_disk(Asked())) == [WARNING, WARNING, OK]
    assert not list(tmp_path.iterdir())


def test_a_file_system_without_locks_is_a_fault(monkeypatch, tmp_path):
    def refuses(*args):
        raise OSError(95, "Operation not supported")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(disk.fcntl, "flock", refuses)
    *_, last = disk.check_disk(Asked())
    assert (last.state, last.what) == (FAULT, "this file system has no locks (Operation not supported)")


def test_a_cluster_that_does_not_answer_is_a_warning(monkeypatch, tmp_path):
    program = tmp_path / "sinfo"
    program.write_text("#!/bin/sh\necho 'cannot reach the controller' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = [finding for finding in scheduler.check_scheduler(Asked()) if "slurm" in finding.what]
    assert states(found) == [WARNING] and "cannot reach the controller" in found[0].what


def test_a_model_that_is_whole_is_ok_and_one_with_nan_a_fault(tmp_path):
    model = write_model(tmp_path / "model")
    assert states(findings_of("model", Asked(model=str(model)))) == [OK]
    (path,) = model.glob("*.safetensors")
    weights = safetensors.torch.load_file(path)
    next(value for value in weights.values() if value.is_floating_point()).fill_(torch.nan)
    safetensors.torch.save_file(weights, path)
    (fault,) = findings_of("model", Asked(model=str(model)))
    assert fault.state == FAULT and "holds NaN or infinity" in fault.what


def test_a_model_that_is_not_there_is_a_fault(tmp_path):
    assert states(findings_of("model", Asked(model=str(tmp_path / "none")))) == [FAULT]


def test_a_data_directory_is_told_with_its_first_faults(voices, tmp_path):
    data = voices / "data" / "train"
    assert states(findings_of("data", Asked(data=data)))[-1] == OK
    broken = Path(shutil.copytree(data, tmp_path / "broken"))
    (broken / "utt2spk").write_text("anna-00 anna\nanna-00 anna\n")
    found = findings_of("data", Asked(data=broken))
    assert found[0].state == FAULT and "utt2spk:2" in found[0].what


def test_a_recipe_that_makes_its_corpus_is_ok(monkeypatch):
    found = list(recipe.check_recipe(Asked(recipe=ROOT / "egs" / "mini" / "tse1")))
    assert states(found) == [OK, OK]
    assert "the recipe makes it in downloads/mini" in found[1].what


def test_a_corpus_that_is_not_named_is_a_warning_and_one_that_is_missing_a_fault(monkeypatch, tmp_path):
    monkeypatch.delenv("LIBRI2MIX", raising=False)
    folder = ROOT / "egs" / "libri2mix" / "tse1"
    _, corpus, known = recipe.check_recipe(Asked(recipe=folder))
    assert (corpus.state, corpus.remedy) == (WARNING, "--corpus_dir DIR, or export LIBRI2MIX=DIR")
    assert known.state == OK and "0.0 dB" in known.what
    _, corpus, _ = recipe.check_recipe(Asked(recipe=folder, corpus_dir=tmp_path / "none"))
    assert corpus.state == FAULT
    monkeypatch.setenv("LIBRI2MIX", str(tmp_path))
    _, corpus, _ = recipe.check_recipe(Asked(recipe=folder))
    assert corpus.state == FAULT and "is empty" in corpus.what
    (tmp_path / "a.wav").write_bytes(bytes(1000))
    _, corpus, _ = recipe.check_recipe(Asked(recipe=folder))
    assert corpus.state == OK and "1 files" in corpus.what


def test_settings_that_are_no_yaml_are_a_fault(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "net.yaml").write_text("train: [1, 2\n")
    (tmp_path / "run.sh").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "run.sh").chmod(0o755)
    found = list(recipe.check_recipe(Asked(recipe=tmp_path)))
    assert found[0].state == FAULT and "net.yaml" in found[0].what


def test_a_folder_without_a_recipe_is_a_fault(tmp_path):
    assert states(recipe.check_recipe(Asked(recipe=tmp_path))) == [FAULT]


def test_the_command_ends_with_1_only_where_there_is_a_fault(tmp_path):
    command = [sys.executable, "-m", "zspex_toolkit.bin.doctor", "--data", tmp_path / "none", "--json", "true"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1 and '"state": "fault"' in done.stdout and "Traceback" not in done.stderr
