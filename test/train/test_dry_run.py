import pytest
import torch
from support.toy import ToySet, toy_loss, toy_train

from zspex_toolkit.errors import UserError
from zspex_toolkit.train.dry_run import largest_batch


class Sized(ToySet):
    def size(self, index):
        return {5: 90, 2: 80, 20: 70}.get(index, 1)


def test_the_largest_items_come_first():
    assert largest_batch(Sized(21), 2).tolist() == [5, 2]
    assert largest_batch(ToySet(3), 4).tolist() == [0, 1, 2]


def test_it_tries_the_largest_batch_first_then_one_of_everything_and_leaves_nothing(tmp_path, capsys):
    seen = []

    def loss(model, batch):
        seen.append((model.training, batch["ids"]))
        return toy_loss(model, batch)

    toy_train(tmp_path / "exp", loss=loss, train_set=Sized(21), dry_run=True, batch_size=3)
    assert [training for training, _ in seen] == [True, True, False, False]
    assert seen[0][1] == ["utt5", "utt2", "utt20"]
    assert not (tmp_path / "exp").exists()
    assert "dry run: largest batch of 3 items: loss " in capsys.readouterr().err


def test_the_largest_batch_is_of_the_last_epoch_since_the_first_may_train_less(tmp_path):
    asked = []

    class Noted(Sized):
        def get(self, epoch, index):
            asked.append(epoch)
            return super().get(epoch, index)

    toy_train(tmp_path / "exp", train_set=Noted(21), valid_set=None, dry_run=True, batch_size=3, num_epochs=7)
    assert asked == [6, 6, 6, 0, 0, 0]


def test_a_bad_loss_is_named(tmp_path):
    def loss(model, batch):
        return toy_loss(model, batch)[0] * torch.nan, {}

    with pytest.raises(UserError, match="dry run: loss or gradient not finite for: utt5, utt2, utt20"):
        toy_train(tmp_path, loss=loss, train_set=Sized(21), dry_run=True, batch_size=3)
