"""Groups exchange their average, with the formula of the paper."""

import pytest
import torch

from zspex_toolkit.nn.tac import TransformAverageConcatenate


def layer(**options):
    torch.manual_seed(0)
    return TransformAverageConcatenate(4, 5, **options)


def formula(tac, groups):
    """The docstring's equations, a group at a time, with the concatenation written out."""
    own = [tac.transform_activation(tac.transform(group)) for group in groups.unbind(1)]
    mean = tac.average_activation(tac.average(sum(own) / len(own)))
    updates = [tac.concatenate_activation(tac.concatenate(torch.cat([h, mean], 2))) for h in own]
    if tac.norm is not None:
        updates = [tac.norm(update) for update in updates]
    return torch.stack(updates, 1)


@pytest.mark.parametrize("norm", [True, False])
def test_the_output_is_that_of_the_formula(norm):
    tac, groups = layer(norm=norm), torch.randn(2, 3, 7, 4)
    torch.testing.assert_close(tac(groups), groups + formula(tac, groups))


def test_without_the_residual_the_output_is_the_update():
    tac, groups = layer(residual=False), torch.randn(2, 3, 7, 4)
    torch.testing.assert_close(tac(groups), formula(tac, groups))


def test_the_order_of_the_groups_does_not_matter():
    tac, groups = layer(), torch.randn(2, 3, 7, 4)
    torch.testing.assert_close(tac(groups.flip(1)), tac(groups).flip(1))


def test_the_first_groups_alone_are_those_of_all():
    tac, groups = layer(), torch.randn(2, 3, 7, 4)
    torch.testing.assert_close(tac(groups, num_outputs=2), tac(groups)[:, :2])


def test_every_group_hears_of_every_other():
    tac, groups = layer(), torch.randn(1, 3, 7, 4)
    changed = groups.clone()
    changed[:, 2] += 1
    assert ((tac(changed) - tac(groups))[:, :2].abs().amax((2, 3)) > 1e-4).all()


def test_padding_changes_nothing():
    tac, groups = layer(), torch.randn(2, 3, 7, 4)
    alone = tac(groups[:1, :, :5])
    groups[0, :, 5:] = 100
    torch.testing.assert_close(tac(groups, torch.tensor([5, 7]))[:1, :, :5], alone)


def test_the_published_width_has_185475_parameters():
    counted = sum(p.numel() for p in TransformAverageConcatenate(256, 192).parameters())
    by_hand = (256 * 192 + 192 + 1) + (192 * 192 + 192 + 1) + (2 * 192 * 256 + 256 + 1) + 2 * 256
    assert counted == by_hand == 185475
