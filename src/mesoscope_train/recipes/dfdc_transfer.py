"""Study 5: a custom CNN against a fine-tuned Xception on DFDC faces, and a network of our own beside them.

Stated: 224 x 224, random flips and transforms, an even mix of 16,000 faces, Xception with ImageNet weights and a
dense sigmoid on top; the search tried learning rates 0.1 and 0.01, SGD, Adam and Nadam. Best of the study's table:
custom CNN Nadam 0.01, Xception SGD 0.01. Batch sizes, epochs and the transforms are not stated.
"""

from __future__ import annotations

from mesoscope_train.augment import Colour, Flip, Jpeg, OneOf, Resample, Rotate, Window
from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import Cosine, Data, Loop, Loss, Model, Optimiser, Plateau, Recipe, Stage

_STUDY_AUGMENT = (Flip(left_right=0.5), Rotate(degrees=10, p=0.5), Colour(brightness=0.1, contrast=0.1))
_CHOSEN = ("augment", "loop.batch_size", "stages.0.epochs", "loop.early_stopping")


def _custom() -> Recipe:
    return Recipe(
        name="dfdc-transfer:cnn-small",
        about="Study 5: its CNN from scratch on DFDC faces (the study: at chance).",
        chosen=("model.detector", *_CHOSEN),
        data=Data(balance="even"),
        model=Model(detector="cnn-small"),
        augment=_STUDY_AUGMENT,
        stages=(Stage(epochs=15, optimiser=Optimiser(name="nadam", learning_rate=0.01), schedule=Plateau()),),
        loop=Loop(batch_size=32, early_stopping=5),
    )


def _xception() -> Recipe:
    return Recipe(
        name="dfdc-transfer:xception",
        about="Study 5: Xception fine-tuned on DFDC faces.",
        chosen=(*_CHOSEN, "stages.1"),
        data=Data(balance="even"),
        model=Model(detector="xception:head=gap", weights="imagenet"),
        augment=_STUDY_AUGMENT,
        stages=(
            Stage(name="head", epochs=5, train="head", optimiser=Optimiser(name="sgd", learning_rate=0.01)),
            Stage(
                name="whole",
                epochs=10,
                train="all",
                optimiser=Optimiser(name="sgd", learning_rate=0.01, momentum=0.9),
            ),
        ),
        loop=Loop(batch_size=32, early_stopping=5),
    )


def _slim() -> Recipe:
    return Recipe(
        name="dfdc-transfer:slim-resnet",
        about="Our own small network from scratch on DFDC faces: pairs of one video, windows, recompression.",
        chosen=("all",),
        data=Data(pairs=True),
        model=Model(detector="slim-resnet", size=160, train_size=128),
        augment=(
            Window(side=(0.65, 1.0)),
            Flip(left_right=0.5),
            Colour(brightness=0.12, contrast=0.2, saturation=0.35, tint=0.06),
            OneOf(of=(Jpeg(quality=(40, 95)), Jpeg(quality=(40, 95)), Resample(share=(0.5, 1.0))), p=0.4),
        ),
        stages=(
            Stage(
                epochs=60,
                optimiser=Optimiser(name="adamw", learning_rate=3e-3, weight_decay=0.05),
                schedule=Cosine(warmup=0.1),
            ),
        ),
        loss=Loss(smoothing=0.05, ranking=1.0),
        loop=Loop(batch_size=64, clip=1.0, ema=0.998, precision="bf16-mixed", monitor="auc"),
    )


register(
    Entry(
        name="dfdc-transfer",
        about="Study 5: custom CNN, Xception, and a small network of our own on DFDC faces",
        variants={"xception": _xception, "cnn-small": _custom, "slim-resnet": _slim},
        # stated: rates, optimisers, and that neurons and dropout were searched; their ranges are chosen
        search="learning_rate=0.1|0.01,optimizer=sgd|adam|nadam,head_units=32|64|128|256,dropout=0.2|0.35|0.5",
    )
)
