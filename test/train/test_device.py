import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.train.device import resolve_amp, resolve_device


def test_auto_takes_a_gpu_only_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda:0")


@pytest.mark.parametrize(("count", "found"), [(0, "no usable GPU"), (2, r"2 GPU\(s\)")])
def test_a_gpu_that_is_not_there_is_one_line(monkeypatch, count, found):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(ConfigError, match=f"device: 'cuda:2' is not there, this machine has {found}; use auto or cpu"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "mps", "cuda:x"])
def test_other_names_are_refused(name):
    with pytest.raises(ConfigError, match=f"device: expected auto, cpu or cuda:N, got '{name}'"):
        resolve_device(name)


def test_under_torchrun_each_process_takes_the_gpu_of_its_number(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda:1")
    with pytest.raises(ConfigError, match="device: 'cuda:0' would be shared by the 2 processes of this machine"):
        resolve_device("cuda:0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match=r"device: 'cuda:1' is not there, this machine has 1 GPU\(s\)"):
        resolve_device("auto")


@pytest.mark.parametrize("amp", ["none", "bf16"])
def test_a_named_precision_is_taken_everywhere(amp):
    assert resolve_amp(amp, torch.device("cpu")) == amp


@pytest.mark.parametrize(
    ("has", "capability", "taken"),
    [
        ({"avx2": True}, "AVX2", "none"),
        ({"avx512_f": True}, "AVX512", "none"),
        ({"avx512_f": True, "avx512_bf16": True}, "AVX512", "bf16"),
        ({"avx512_f": True, "amx_bf16": True}, "AVX512", "bf16"),
        ({"avx512_f": True, "avx512_bf16": True}, "AVX2", "none"),  # held to older instructions
    ],
)
def test_auto_is_half_precision_where_the_processor_multiplies_it(has, capability, taken, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert resolve_amp("auto", torch.device("cpu")) == taken


@pytest.mark.parametrize(("capability", "taken"), [((7, 5), "none"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_is_half_precision_on_gpus_from_ampere_on(capability, taken, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    assert resolve_amp("auto", torch.device("cuda:0")) == taken
