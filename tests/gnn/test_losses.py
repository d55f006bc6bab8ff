"""The loss that fields are learnt by: what is not known counts for nothing."""

import pytest
import torch

from gnn.training.losses import CF_WEIGHT, field_loss


@pytest.fixture
def fields() -> tuple[torch.Tensor, torch.Tensor]:
    """said and target (2, 50, 4); of the second cloud's target half is not known."""
    predicted, target = torch.randn(2, 2, 50, 4, generator=torch.Generator().manual_seed(0))
    target[1, :25] = torch.nan
    return predicted.requires_grad_(), target


def test_it_is_the_mean_over_what_is_known(fields):
    predicted, target = fields
    known = torch.isfinite(target[..., 0])
    errors = (predicted[known] - target[known]).square().mean(dim=0)
    expected = (1 - CF_WEIGHT) * errors[0] + CF_WEIGHT * errors[1:].mean()
    assert field_loss(predicted, target).item() == pytest.approx(expected.item(), rel=1e-6)


def test_what_is_not_known_pulls_at_nothing(fields):
    predicted, target = fields
    field_loss(predicted, target).backward()
    assert torch.isfinite(predicted.grad).all()
    assert (predicted.grad[1, :25] == 0).all() and (predicted.grad[1, 25:] != 0).all()


@pytest.mark.parametrize("columns", [1, 4])
def test_without_friction_it_is_that_of_pressure(fields, columns):
    predicted, target = fields[0][..., :columns], fields[1].clone()
    target[..., 1:] = torch.nan
    known = torch.isfinite(target[..., 0])
    expected = (predicted[..., 0][known] - target[..., 0][known]).square().mean()
    assert field_loss(predicted, target).item() == pytest.approx(expected.item(), rel=1e-6)
