"""Study 1: Meso-4, the network behind the pictures of what it looks at.

Paper: Afchar, Nozick, Yamagishi, Echizen: "MesoNet: a Compact Facial Video Forgery Detection Network", WIFS 2018.
The study itself uses the published weights (`mesoscope bundle import --format mesonet`); this recipe trains the same
network, with the paper's Adam (0.9, 0.999), batches of 75, 1e-3 divided by 10 every 1,000 iterations down to 1e-6.
"""

from __future__ import annotations

from mesoscope_train.augment import Colour, Flip, Rotate, Scale
from mesoscope_train.recipes.registry import Entry, register
from mesoscope_train.recipes.settings import Data, Loop, Loss, Model, Optimiser, Recipe, Stage, StepIterations


def _recipe(detector: str) -> Recipe:
    return Recipe(
        name=f"mesonet-visual:{detector}",
        about=f"Study 1: {detector} from scratch on face crops, settings of the MesoNet paper.",
        chosen=("stages.0.epochs", "data.balance", "augment", "loop.monitor", "loop.ema"),
        data=Data(balance="even"),
        model=Model(detector=detector),
        # the paper: slight random zoom, rotation, flip, brightness and hue changes; by how much it does not say
        augment=(
            Flip(left_right=0.5),
            Rotate(degrees=15, p=0.5),
            Scale(factor=(0.9, 1.2), p=0.5),
            Colour(brightness=0.15, contrast=0.15, hue=0.05),
        ),
        stages=(
            Stage(
                epochs=30,
                optimiser=Optimiser(name="adam", learning_rate=1e-3, betas=(0.9, 0.999)),
                schedule=StepIterations(every=1000, factor=0.1, floor=1e-6),
            ),
        ),
        loss=Loss(kind="squared-error"),
        loop=Loop(batch_size=75, monitor="auc", ema=0.99, channels_last=detector != "meso4"),
    )


register(
    Entry(
        name="mesonet-visual",
        about="Study 1: Meso-4 on face crops",
        variants={name: lambda name=name: _recipe(name) for name in ("meso4", "mesoinception4")},
    )
)
