"""The weights of the network that is written down line by line, by their names in the package."""

import torch
from torch import Tensor, nn


def copy_weights(plain: nn.Module, network: nn.Module) -> None:
    """Give ``network``, a SpexPlus, the weights of ``plain``, a PlainSpexPlus of the same size.

    Within each part both have their tensors in the same order.
    """
    state = plain.state_dict()

    def of(*prefixes: str) -> list[Tensor]:
        return [value for name, value in state.items() if name.split(".")[0] in prefixes]

    parts = {
        "encoder": of("encoders"),
        "decoder": of("decoders"),
        "fuser": of("mixture_norm", "mixture_projection"),
        "enrollment_fuser": of("speaker_norm", "speaker_projection"),
        "tcn": of("blocks"),
        "mask_generator": [torch.cat(of("masks")[kind::2]) for kind in (0, 1)],  # all weights, all biases
        "speaker_encoder": of("res_blocks", "embedding"),
        "speaker_classifier": of("classifier"),
    }
    named = {name: parts[name.split(".")[0]].pop(0) for name in network.state_dict()}
    assert not any(parts.values())
    network.load_state_dict(named)
