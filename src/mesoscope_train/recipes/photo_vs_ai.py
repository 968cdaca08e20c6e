"""Study 4: ResNet-50 on AI-made against human-made pictures of twenty kinds of objects, and its custom CNN.

Stated: 224 x 224, batches of 32, the backbone's own normalisation, global average pool, dense 128 ReLU, dropout,
one sigmoid, binary cross-entropy; stage 1 with a frozen backbone, stage 2 with the top unfrozen and a smaller rate;
early stopping on the validation loss, the best checkpoint, the rate reduced on a plateau. Augmentation: flips both
ways, rotation, shift, brightness, contrast, hue at most 0.1, saturation. "Layers after conv5_block3_out" is nothing,
as that is the last layer; here the last block is unfrozen. Rates, epochs and amounts are not stated.
"""

from __future__ import annotations

from mesoscope_train.augment import Colour, Flip, Rotate, Shift
from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import Loop, Model, Optimiser, Plateau, Recipe, Stage

_AUGMENT = (
    Flip(left_right=0.5, up_down=0.5),
    Rotate(degrees=20, p=0.5),
    Shift(share=0.1, p=0.5),
    Colour(brightness=0.1, contrast=0.1, saturation=0.1, hue=0.1),
)
_LOOP = Loop(batch_size=32, early_stopping=5)
_CHOSEN = ("augment", "loop.early_stopping", "stages.0.epochs", "stages.0.optimiser", "stages.0.schedule")


def _resnet50() -> Recipe:
    return Recipe(
        name="photo-vs-ai:resnet50",
        about="Study 4: ResNet-50 on whole pictures, AI-made against human-made.",
        chosen=(*_CHOSEN, "stages.1.epochs", "stages.1.optimiser", "stages.1.train"),
        model=Model(detector="resnet50:head=dense,head_units=128", weights="imagenet", judges="image"),
        augment=_AUGMENT,
        stages=(
            Stage(name="head", epochs=10, train="head", optimiser=Optimiser(learning_rate=1e-3), schedule=Plateau()),
            Stage(name="top", epochs=10, train="layer4", optimiser=Optimiser(learning_rate=1e-5), schedule=Plateau()),
        ),
        loop=_LOOP,
    )


def _custom() -> Recipe:
    return Recipe(
        name="photo-vs-ai:cnn-small",
        about="Study 4: its custom CNN from scratch on whole pictures.",
        chosen=("model.detector", *_CHOSEN),
        model=Model(detector="cnn-small", judges="image"),
        augment=_AUGMENT,
        stages=(Stage(epochs=30, optimiser=Optimiser(learning_rate=1e-3), schedule=Plateau()),),
        loop=_LOOP,
    )


register(
    Entry(
        name="photo-vs-ai",
        about="Study 4: ResNet-50 on whole pictures, AI-made against human-made",
        variants={"resnet50": _resnet50, "cnn-small": _custom},
    )
)
