"""Print what is installed, and in one line each what is missing; status 1 if a needed package is.

python tools/check_install.py
"""

import importlib
import platform
import shutil
import sys
from importlib import metadata

NEEDED = {  # module: package, where the names differ
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "packaging": "packaging",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "kaldiio": "kaldiio",
    "yaml": "pyyaml",
    "jsonargparse": "jsonargparse",
    "sklearn": "scikit-learn",
    "matplotlib": "matplotlib",
    "PIL": "pillow",
    "tensorboard": "tensorboard",
    "safetensors": "safetensors",
    "tqdm": "tqdm",
    "jinja2": "jinja2",
    "torchmetrics": "torchmetrics",
    "pystoi": "pystoi",
    "zspex_toolkit": "zspex_toolkit",
}
OPTIONAL = {
    "espeakng_loader": "the mini corpus (pip install 'zspex_toolkit[mini]')",
    "onnxruntime": "ONNX files (pip install 'zspex_toolkit[onnx]')",
    "pesq": "the PESQ metric (pip install 'zspex_toolkit[pesq]'; needs a C compiler)",
    "parselmouth": "the command change_voices (pip install 'zspex_toolkit[voices]')",
    "pyroomacoustics": "the command simulate_rooms (pip install 'zspex_toolkit[rooms]')",
    "kaldialign": "word error rates (pip install 'zspex_toolkit[asr]')",
    "sentencepiece": "the speech recogniser (pip install 'zspex_toolkit[asr]')",
    "pytest": "the tests (pip install 'zspex_toolkit[test]')",
    "kaldi_native_fbank": "a second opinion on MFCC in the tests (pip install 'zspex_toolkit[test]')",
}
PROGRAMS = {"ffmpeg": "VoxCeleb2's m4a files", "nvidia-smi": "training on a GPU"}


def fault_of(module: str) -> str | None:
    """Why ``module`` cannot be imported, in one line; None if it can."""
    try:
        importlib.import_module(module)
    except Exception as fault:  # a broken binary package raises anything
        return f"{type(fault).__name__}: {fault}".splitlines()[0]
    return None


def version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed, but on PYTHONPATH)"


def main() -> int:
    print(f"python {platform.python_version()} on {platform.platform()}")
    faults = {package: fault_of(module) for module, package in NEEDED.items()}
    print("installed:", ", ".join(f"{name} {version_of(name)}" for name, fault in faults.items() if not fault))
    for module, purpose in OPTIONAL.items():
        if fault := fault_of(module):
            print(f"optional: {module} is missing ({fault}): needed for {purpose}")
    for program, purpose in PROGRAMS.items():
        if shutil.which(program) is None:
            print(f"optional: {program} is not in PATH: needed for {purpose}")
    missing = {name: fault for name, fault in faults.items() if fault}
    for name, fault in missing.items():
        print(f"missing: {name} ({fault}): run tools/setup_venv.sh")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
