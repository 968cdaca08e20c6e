"""The last step of a run whose recipe has an SVM: features, choice by cross-validation, fit, what came of it.

Files in the run's directory: ``svm.safetensors`` the machine, ``svm.json`` the grid and the figures,
``svm-validation.parquet`` what scikit-learn decided on each validation picture.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from sklearn.metrics import log_loss, roc_auc_score
from torch import Tensor

from mesoscope.atomic import explained, replacing
from mesoscope.cli.console import remark
from mesoscope.errors import UsageError
from mesoscope_train.detectors import Detector
from mesoscope_train.detectors.svm import SvmHead
from mesoscope_train.errors import WeightsError
from mesoscope_train.progress import progress
from mesoscope_train.recipes.settings import Recipe, Svm
from mesoscope_train.svm.features import Features, features_of
from mesoscope_train.svm.fitting import Bools, Fitted, Floats, Tried, check_classes, choose, fit
from mesoscope_train.svm.reference import read_reference, write_reference
from mesoscope_train.training.examples import Examples
from mesoscope_train.training.history import Epoch
from mesoscope_train.training.pictures import Pictures
from mesoscope_train.training.run import Run
from mesoscope_train.weights import WeightsRecord

FACTS = "svm"
_BUFFERS = ("mean", "scale", "vectors", "coefficients", "gamma", "intercept")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows and their pictures, without augmentation."""

    examples: Examples
    pictures: Pictures


def keeps_network(recipe: Recipe, origin: WeightsRecord) -> bool:
    """Whether the network stays as its first weights are, and the SVM alone is fitted.

    Raises:
        UsageError: it is to be kept, but its head is random, and the SVM's features with it.
    """
    if recipe.svm is None or recipe.svm.network == "train":
        return False
    whole = origin.is_pretrained and origin.head == "loaded"
    if recipe.svm.network == "keep" and not whole:
        raise UsageError(
            f"svm.network: keep needs the weights of a whole network, its head too; these are {origin}. Give "
            "--weights with a run or bundle of this detector, or let the network be trained (svm.network: train)"
        )
    return whole


def keep_network(run: Run, detector: Detector) -> None:
    """Write the first weights as the run's own."""
    state = {key: value.detach().cpu().contiguous() for key, value in detector.state_dict().items()}
    with replacing(run.weights_file) as partial, explained(run.weights_file):
        save_file(state, partial)


def fit_svm(run: Run, recipe: Recipe, detector: Detector, train: Part, validation: Part) -> None:
    """Fit the recipe's SVM on the training part and write it into the run's directory.

    Args:
        run: its directory.
        recipe: with an ``svm``.
        detector: the trained network; left as it is.
        train: C, gamma and the machine are of these rows alone.
        validation: measured; takes part in no choice.

    Raises:
        UsageError: one class only, or too few groups.
    """
    how, seed = recipe.svm, recipe.loop.seed
    assert how is not None  # noqa: S101 - the caller's condition
    fake, groups = train.examples.fake, train.examples.groups
    check_classes(fake, groups)
    detector.eval()
    features = _features(detector, train, "features of training pictures")
    remark(f"SVM: {len(how.c) * len(how.gamma)} pairs of C and gamma on {len(features):,} pictures")
    best, tried = choose(features, fake, groups, how, seed=seed, workers=max(1, recipe.data.workers))
    _tell(best, how, features.shape[1])
    fitted = fit(features, fake, how, c=best.c, gamma=best.gamma, seed=seed)
    shown = _features(detector, validation, "features of validation pictures")
    decisions = fitted.decide(shown)
    _save(run, fitted)
    write_reference(run.path / "svm-validation.parquet", validation.examples.manifest.values("path"), decisions)
    run.write_facts(
        FACTS,
        {
            "kind": "exact" if fitted.exact else "nystroem",
            "vectors": len(fitted.vectors),
            "features": features.shape[1],
            "rows": len(features),
            "groups": len(set(groups.tolist())),
            "measure": how.measure,
            "best": asdict(best),
            "tried": [asdict(one) for one in tried],
            "validation": {
                "svm": _measured(decisions, validation.examples.fake),
                "network": _network(detector, shown, validation.examples.fake),
            },
        },
    )


def load_head(run: Run) -> SvmHead:
    """The machine of a run, as a module.

    Raises:
        WeightsError: its file is missing or damaged.
    """
    path = run.path / "svm.safetensors"
    try:
        state = load_file(path)
        head = SvmHead(*state["vectors"].shape)
        head.load_state_dict(state)
    except (OSError, SafetensorError, KeyError, RuntimeError, TypeError) as error:
        raise WeightsError(f"{path} is not the SVM of a run ({error})") from None
    return head


def reference_of(run: Run) -> dict[str, float]:
    """What scikit-learn decided, by the validation picture's path in the manifest."""
    return read_reference(run.path / "svm-validation.parquet")


def _features(detector: Detector, part: Part, what: str) -> Features:
    with progress(what, len(part.pictures)) as step:
        return features_of(detector, part.pictures, step)


def _tell(best: Tried, how: Svm, features: int) -> None:
    value = getattr(best, how.measure)
    remark(f"SVM: C {best.c:g}, gamma {best.gamma:g} / {features}: {how.measure} {value:.4f} on held-out groups")
    for name, chosen, grid in (("c", best.c, how.c), ("gamma", best.gamma, how.gamma)):
        if len(grid) > 1 and chosen in (min(grid), max(grid)):
            remark(f"SVM: the best {name} is at the edge of what was tried; a wider svm.{name} may be better")


def _save(run: Run, fitted: Fitted) -> None:
    path = run.path / "svm.safetensors"
    state = {name: torch.tensor(np.asarray(getattr(fitted, name), np.float32)) for name in _BUFFERS}
    with replacing(path) as partial, explained(path):
        save_file(state, partial)


def _network(detector: Detector, features: Features, fake: Bools) -> dict[str, float]:
    with torch.inference_mode():
        logits: Tensor = detector.logit_of(torch.from_numpy(features))
    values = logits.double().numpy()
    return {**_measured(values, fake), "loss": float(log_loss(fake, 1 / (1 + np.exp(-values))))}


def _measured(values: Floats, fake: Bools) -> dict[str, float]:
    """Accuracy at zero, and area under the ROC curve."""
    return {"accuracy": float(((values > 0) == fake).mean()), "auc": float(roc_auc_score(fake, values))}


def kept_epoch(run: Run) -> Epoch:
    """What stands for the best epoch where the network was kept: its own figures, from when the SVM was fitted."""
    shown = run.facts(FACTS)["validation"]["network"]
    figures = {f"val_{name}": shown[name] for name in ("loss", "accuracy", "auc")}
    nothing = {field.name: 0 for field in fields(Epoch) if field.name not in ("stage", *figures)}
    return Epoch(stage="kept", **nothing, **figures)
