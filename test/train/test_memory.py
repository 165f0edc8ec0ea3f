import pytest
import torch

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.memory import explained_memory


def test_it_names_the_size_of_the_batch_and_what_to_do():
    batch = {"ids": ["a", "b"], "feats": torch.zeros(2, 300, 20)}
    message = (
        r"^cuda:1 has not enough memory for a batch of 2 items \(feats \(2, 300, 20\)\); halve batch_size .*: 2 GiB$"
    )
    with pytest.raises(UserError, match=message), explained_memory(batch, torch.device("cuda:1")):
        raise torch.cuda.OutOfMemoryError("2 GiB\nof 1 GiB")
