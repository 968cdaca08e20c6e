"""A support vector machine with a Gaussian kernel, in the place of a detector's output layer.

Paper: Cortes and Vapnik: "Support-Vector Networks", Machine Learning 20, 1995; on a network's features as in the
study ``mesoinception-svm``.
Source: written from the definition; fitted by scikit-learn (`mesoscope_train.svm`).

The decision value of features x (D numbers) is ``f(x) = sum_i c_i exp(-gamma |s - v_i|^2) + b`` with s the features
scaled to mean 0 and deviation 1. Squared distances are ``|s|^2 - 2 s v_i + |v_i|^2``, so that all of it is matrix
products, an exponential and sums, which every engine knows. Its gradient with respect to x, which the map needs, is
``2 gamma (sum_i c_i k_i v_i - s sum_i c_i k_i) / scale``, made of the same values.

An architecture says so by the option ``svm=V``, the number of vectors: ``mesoinception4:svm=812``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

OPTION = "svm"
"""The option that every detector takes beside its own."""
MOST_VECTORS = 200_000


class SvmHead(nn.Module):
    """Features (B, D) to the decision value (B,); everything fitted is a buffer, nothing learns by gradients.

    Args:
        vectors: V, support vectors or landmarks.
        features: D.
    """

    mean: Tensor
    scale: Tensor
    vectors: Tensor
    coefficients: Tensor
    gamma: Tensor
    intercept: Tensor

    def __init__(self, vectors: int, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.register_buffer("vectors", torch.zeros(vectors, features))
        self.register_buffer("coefficients", torch.zeros(vectors))
        self.register_buffer("gamma", torch.ones(()))
        self.register_buffer("intercept", torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """(B, D) to (B,)."""
        return self._weighted_kernel(self._scaled(features)).sum(1) + self.intercept

    def with_gradient(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The decision value (B,) and its gradient (B, D) with respect to the features, without autograd."""
        scaled = self._scaled(features)
        weighted = self._weighted_kernel(scaled)
        total = weighted.sum(1)
        gradient = (weighted @ self.vectors - scaled * total[:, None]) * (2 * self.gamma / self.scale)
        return total + self.intercept, gradient

    def _scaled(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.scale

    def _weighted_kernel(self, scaled: Tensor) -> Tensor:
        """``c_i exp(-gamma |s - v_i|^2)``, (B, V)."""
        squares = scaled.square().sum(1, keepdim=True) + self.vectors.square().sum(1)
        # rounding can make the distance of a point from itself a little negative
        distances = (squares - 2 * scaled @ self.vectors.T).clamp(min=0)
        return torch.exp(-self.gamma * distances) * self.coefficients
