"""What backbones that learnt on ImageNet are shown, at the size of the studies."""

from __future__ import annotations

from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from mesoscope.preprocess import Preprocess

PREPROCESS = Preprocess(
    size=224,
    resize="bilinear",
    margin=0.0,
    channel_order="rgb",
    mean=list(IMAGENET_DEFAULT_MEAN),
    std=list(IMAGENET_DEFAULT_STD),
    min_face=48,
)
