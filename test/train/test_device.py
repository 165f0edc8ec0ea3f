import pytest
import torch

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.train.device import resolve_device


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
