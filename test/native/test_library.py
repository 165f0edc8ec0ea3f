"""The compiled functions: built once, whole or not at all, and missed without harm."""

import ctypes
import shutil
import subprocess
import sys

import pytest
import torch

from zspex_toolkit.native import library as native
from zspex_toolkit.native.compilation import is_whole

PROGRAM = """
import sys
from pathlib import Path
from zspex_toolkit.native import library as native
native.SOURCES = Path(sys.argv[1])
print(native.library() is not None)
"""


@pytest.fixture(autouse=True)
def a_cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("ZSPEX_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ZSPEX_NATIVE", raising=False)


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """One of the functions, which is soon compiled."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("convert.cpp", "simd.h"):
        shutil.copy(native.SOURCES / name, folder)
    monkeypatch.setattr(native, "SOURCES", folder)
    return folder


@pytest.fixture
def fresh(sources):
    """``library`` as a new process sees it."""
    return native.library.__wrapped__


needs_compiler = pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler")


def rounded(library, x):
    out = torch.empty(len(x), dtype=torch.bfloat16)
    library.zspex_round(ctypes.c_void_p(x.data_ptr()), ctypes.c_void_p(out.data_ptr()), ctypes.c_int64(len(x)))
    return out


@needs_compiler
def test_it_compiles_once_says_so_and_works(fresh, tmp_path, capfd):
    assert fresh() is not None
    assert capfd.readouterr().err.startswith("native: compiling for this processor")
    library = fresh()
    assert capfd.readouterr().err == ""
    x = torch.cat([torch.randn(1000), torch.tensor([float("nan"), float("inf"), -0.0, 3e38])])
    torch.testing.assert_close(rounded(library, x), x.to(torch.bfloat16), rtol=0, atol=0, equal_nan=True)
    assert len(list((tmp_path / "cache").iterdir())) == 1


@needs_compiler
def test_a_damaged_library_is_compiled_again(fresh, tmp_path, capfd):
    fresh()
    (path,) = (tmp_path / "cache").iterdir()
    whole = path.read_bytes()
    path.unlink()  # the loaded library keeps its own file
    path.write_bytes(whole[: len(whole) // 2])
    capfd.readouterr()
    assert fresh() is not None
    assert "compiling" in capfd.readouterr().err
    assert is_whole(path)


@needs_compiler
def test_two_processes_may_compile_at_once(sources, tmp_path):
    processes = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(sources)], stdout=subprocess.PIPE) for _ in range(2)
    ]
    assert [process.communicate(timeout=300)[0].strip() for process in processes] == [b"True", b"True"]
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_without_a_compiler_there_is_none_and_one_line_says_so(fresh, monkeypatch, capfd):
    monkeypatch.setattr(native.shutil, "which", lambda name: None)
    monkeypatch.setenv("CXX", "my-c++")
    assert fresh() is None
    message = "native: no C++ compiler found (my-c++, c++, g++, clang++); computing with torch alone, which is slower\n"
    assert capfd.readouterr().err == message


@needs_compiler
def test_what_cannot_be_compiled_is_said_in_one_line_and_leaves_no_file(fresh, sources, tmp_path, capfd):
    (sources / "broken.cpp").write_text("int f( {")
    assert fresh() is None
    assert "cannot compile: " in capfd.readouterr().err.splitlines()[-1]
    assert list((tmp_path / "cache").glob("*.so")) == []


def test_a_cache_folder_that_cannot_be_made_is_no_error(fresh, monkeypatch, tmp_path, capfd):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ZSPEX_CACHE", str(tmp_path / "file"))
    assert fresh() is None
    assert "computing with torch alone" in capfd.readouterr().err


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """A user whose numbers are in no list, as in containers; the folder of temporary files."""
    for name in ("ZSPEX_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pathlib.os.path.expanduser", lambda path: path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@needs_compiler
def test_without_a_home_it_lies_in_a_private_temporary_folder(fresh, homeless):
    assert fresh() is not None
    folder = native.cache_folder()
    assert folder.parent == homeless and folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.glob("native-*.so"))) == 1


@needs_compiler
def test_what_others_may_have_put_there_is_not_run(fresh, homeless, capfd):
    native.cache_folder().chmod(0o777)
    assert fresh() is None
    assert "is open to others; set ZSPEX_CACHE to a folder; computing with torch alone" in capfd.readouterr().err
    folder = next(homeless.glob("zspex_toolkit-*"))
    folder.rmdir()
    folder.symlink_to(homeless)
    assert fresh() is None


def test_it_can_be_switched_off_silently(fresh, monkeypatch, capfd):
    monkeypatch.setenv("ZSPEX_NATIVE", "0")
    assert fresh() is None
    assert capfd.readouterr().err == ""


@needs_compiler
def test_other_sources_flags_or_processors_are_other_libraries(monkeypatch, tmp_path):
    compiler = native._compiler()
    fingerprints = {native._fingerprint(compiler)}
    monkeypatch.setattr(native, "FLAGS", ("-O0", *native.FLAGS))
    fingerprints.add(native._fingerprint(compiler))
    monkeypatch.setattr(native, "_processor", lambda: "another")
    fingerprints.add(native._fingerprint(compiler))
    (tmp_path / "a.cpp").write_text("int a;")
    monkeypatch.setattr(native, "SOURCES", tmp_path)
    fingerprints.add(native._fingerprint(compiler))
    assert len(fingerprints) == 4
