"""Study 2: five CNNs, real photographs against GAN faces: CelebA against a million StyleGAN faces.

Stated: 224 x 224, batches of 64, 7 epochs, values scaled to 0-1, 20 % validation, ImageNet weights frozen for the
three pretrained networks, afterwards the top of the backbone unfrozen and trained jointly. Not stated: the learning
rates, the optimiser, the dropout, how much of the top.
"""

from __future__ import annotations

from collections.abc import Callable

from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import Loop, Model, Optimiser, Recipe, Stage

CHOSEN = ("stages.0.optimiser", "loop.monitor")
_ADAM = Optimiser(name="adam", learning_rate=1e-3)
_LOOP = Loop(batch_size=64)


def _from_scratch(name: str) -> Recipe:
    return Recipe(
        name=f"gan-faces:{name}",
        about=f"Study 2: {name} from scratch, real photographs against GAN faces.",
        chosen=CHOSEN,
        model=Model(detector=name),
        stages=(Stage(epochs=7, optimiser=Optimiser(name="adam", learning_rate=1e-4)),),
        loop=_LOOP,
    )


def _pretrained(name: str, detector: str, top: str) -> Recipe:
    return Recipe(
        name=f"gan-faces:{name}",
        about=f"Study 2: {name} with a frozen backbone, then its top trained too.",
        chosen=(*CHOSEN, "stages.1.train", "stages.1.epochs", "stages.1.optimiser", "stages.1.backbone_rate"),
        model=Model(detector=detector, weights="imagenet"),
        stages=(
            Stage(name="head", epochs=7, train="head", optimiser=_ADAM),
            Stage(name="top", epochs=3, train=top, optimiser=Optimiser(learning_rate=1e-4), backbone_rate=0.1),
        ),
        loop=_LOOP,
    )


_VARIANTS: dict[str, Callable[[], Recipe]] = {
    "densenet121": lambda: _pretrained("densenet121", "densenet121", "denseblock4"),
    "xception": lambda: _pretrained("xception", "xception", "block12"),
    "resnet50": lambda: _pretrained("resnet50", "resnet50", "layer4"),
    "cnn-1": lambda: _from_scratch("cnn-1"),
    "cnn-2": lambda: _from_scratch("cnn-2"),
}

register(Entry(name="gan-faces", about="Study 2: five CNNs, real photographs against GAN faces", variants=_VARIANTS))
