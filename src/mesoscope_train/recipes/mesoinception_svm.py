"""Study 3: MesoInception-4 on three merged benchmarks, in its three training settings, and an SVM on top of it.

Stated: squared error, Adam (0.9, 0.999); general: batches of 32, 1e-3 divided by 10 every 1,000 iterations down to
1e-6; first net: batches of 32, 30 epochs planned and 10 run, the decay step computed so that the lowest rate is
reached at the end of the planned epochs; second net: batches of 64, 1e-3, decay 0.1 every 5 epochs, 18 planned, 10
run. Augmentation: Gaussian blur 3 / 9 / 15, rotation by 45, 90, 180 degrees, scaling by +50 % and -50 %. The SVM has
a Gaussian kernel and stands on the features of the fully connected layer; its C and gamma are not stated.
"""

from __future__ import annotations

from collections.abc import Callable

from mesoscope_train.augment import Blur, OneOf, Rotate, Scale
from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import (
    ComputedDecay,
    Loop,
    Loss,
    Model,
    Optimiser,
    Recipe,
    Schedule,
    Stage,
    StepEpochs,
    StepIterations,
    Svm,
)

_AUGMENT = (
    OneOf(
        of=(
            Blur(kernels=(3, 9, 15)),
            Rotate(angles=(45, 90, 180)),
            Scale(factor=(1.5, 1.5)),
            Scale(factor=(0.5, 0.5)),
        ),
        p=0.5,
    ),
)


def _recipe(variant: str, detector: str, schedule: Schedule, batch_size: int) -> Recipe:
    return Recipe(
        name=f"mesoinception-svm:{variant}",
        about=f"Study 3, the {variant.replace('-', ' ')} setting: {detector} on merged face crops.",
        chosen=("augment.0.p", "loop.monitor", *(("stages.0.epochs",) if variant in ("general", "meso4") else ())),
        model=Model(detector=detector),
        augment=_AUGMENT,
        stages=(
            Stage(
                epochs=10,
                optimiser=Optimiser(name="adam", learning_rate=1e-3, betas=(0.9, 0.999)),
                schedule=schedule,
            ),
        ),
        loss=Loss(kind="squared-error"),
        loop=Loop(batch_size=batch_size, channels_last=detector != "meso4"),
    )


_GENERAL = StepIterations(every=1000, factor=0.1, floor=1e-6)


def _with_svm() -> Recipe:
    net = _recipe("svm", "mesoinception4", _GENERAL, 32)
    return net.model_copy(
        update={
            "about": "Study 3, the general setting, then an SVM on the features of its fully connected layer.",
            "chosen": (*net.chosen, "stages.0.epochs", "svm"),
            "svm": Svm(),
        }
    )


_VARIANTS: dict[str, Callable[[], Recipe]] = {
    "svm": _with_svm,
    "general": lambda: _recipe("general", "mesoinception4", _GENERAL, 32),
    "first-net": lambda: _recipe("first-net", "mesoinception4", ComputedDecay(planned_epochs=30), 32),
    "second-net": lambda: _recipe("second-net", "mesoinception4", StepEpochs(every=5, factor=0.1), 64),
    "meso4": lambda: _recipe("meso4", "meso4", _GENERAL, 32),
}

register(
    Entry(
        name="mesoinception-svm",
        about="Study 3: MesoInception-4 on merged benchmarks, three settings, and an SVM on its features",
        variants=_VARIANTS,
    )
)
