"""Max-pooling on the way that trains faster: the same bits as PyTorch's own, forward and back, ties among them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from torch.nn import functional as F  # noqa: E402

from mesoscope_train.detectors.pooling import MaxPool2d  # noqa: E402


def random_planes(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def few_values(*shape):
    return torch.randint(0, 3, shape, generator=torch.Generator().manual_seed(0)).float()


@pytest.mark.parametrize("planes", [random_planes, few_values], ids=["random", "ties"])
@pytest.mark.parametrize(("side", "shape"), [(2, (3, 8, 16, 12)), (3, (2, 5, 11, 10)), (4, (2, 1, 8, 8))])
def test_values_and_gradients_are_those_of_the_plain_operation(planes, side, shape):
    x = planes(*shape).requires_grad_()
    pool = MaxPool2d(side).train()
    plain = F.max_pool2d(x, side)
    pooled = pool(x)
    gradient = random_planes(*plain.shape)
    assert pooled.is_contiguous()
    assert torch.equal(pooled, plain)
    assert torch.equal(torch.autograd.grad(pooled, x, gradient)[0], torch.autograd.grad(plain, x, gradient)[0])


def test_a_gradient_that_comes_interleaved_or_broadcast_is_taken():
    x = random_planes(2, 4, 8, 8).requires_grad_()
    pool = MaxPool2d(2).train()
    for gradient in (
        random_planes(2, 4, 4, 4).contiguous(memory_format=torch.channels_last),
        torch.ones(1).expand(2, 4, 4, 4),
    ):
        ours = torch.autograd.grad(pool(x), x, gradient)[0]
        assert torch.equal(ours, torch.autograd.grad(F.max_pool2d(x, 2), x, gradient)[0])


def test_it_is_the_plain_operation_where_it_is_exported_or_planes_are_interleaved():
    x = random_planes(2, 4, 8, 8).requires_grad_()
    interleaved = x.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    assert "MaxPool2D" in type(MaxPool2d(2).eval()(x).grad_fn).__name__
    assert "MaxPool2D" in type(MaxPool2d(2).train()(interleaved).grad_fn).__name__
    assert "Interleaved" in type(MaxPool2d(2).train()(x).grad_fn).__name__
