"""Two-stage transfer learning: a backbone frozen, then unfrozen from a named stage on.

A frozen stage takes no gradient and stays in eval mode whatever `train` says: its BatchNorm neither uses nor gathers
the statistics of a batch, and its dropout passes everything. It is then a fixed function, as a frozen layer in Keras.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from mesoscope.errors import UsageError
from mesoscope_train.detectors.base import Detector, Stage
from mesoscope_train.detectors.low_rank import add_low_rank

ALL, HEAD, NORMS, LOW_RANK = "all", "head", "norms", "low-rank"
"""What can be trained, where it is not named by a part of the backbone."""
_NORMALISATIONS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def freeze(detector: Detector, unfreeze_from: str | None = None) -> tuple[str, ...]:
    """Freeze the backbone, or the part of it below a stage; the head always learns.

    Can be called again at any time with another stage; it is no part of a checkpoint's state, so a resumed run calls
    it again.

    Args:
        detector: changed in place.
        unfreeze_from: the first stage that learns, by name (``layer4``; the first of ``layer4.0``, ``layer4.1`` …);
            None freezes the whole backbone.

    Returns:
        the names of the frozen stages.

    Raises:
        UsageError: there is no such stage; the message names them.
    """
    stages = detector.backbone_stages()
    first = len(stages) if unfreeze_from is None else _index_of(unfreeze_from, stages)
    detector.requires_grad_(True)
    for stage in stages[:first]:
        for parameter in stage.parameters():
            parameter.requires_grad_(False)
    detector.frozen = tuple(stage.name for stage in stages[:first])
    detector.train(detector.training)
    return detector.frozen


def let_learn(detector: Detector, train: str, *, rank: int, seed: int) -> None:
    """Let exactly what a stage trains ask for gradients: the head always, and of the backbone what is named.

    Args:
        detector: changed in place; with ``low-rank`` it has more parameters until
            `mesoscope_train.detectors.low_rank.merge`.
        train: ``all``; ``head``, nothing of the backbone; ``norms``, its normalisations' scales and shifts
            (statistics of BatchNorm stay); ``low-rank``, residuals on its attention; or the part from which on it
            learns.
        rank: of those residuals.
        seed: of their first values.

    Raises:
        UsageError: there is no such part, normalisation or attention.
    """
    if train == ALL:
        unfreeze(detector)
        return
    freeze(detector, None if train in (HEAD, NORMS, LOW_RANK) else train)
    if train == NORMS:
        wake_norms(detector)
    elif train == LOW_RANK:
        add_low_rank(detector, rank, seed)


def wake_norms(detector: Detector) -> tuple[str, ...]:
    """Let the scales and shifts of a frozen backbone's normalisations learn; returns their names.

    Raises:
        UsageError: it has none.
    """
    inside = {id(parameter) for stage in detector.backbone_stages() for parameter in stage.parameters()}
    woken = []
    for name, module in detector.named_modules():
        if not _normalises(module):
            continue
        for key, parameter in module.named_parameters(recurse=False):
            if id(parameter) in inside:
                parameter.requires_grad_(True)
                woken.append(f"{name}.{key}")
    if not woken:
        raise UsageError("train: norms: this backbone has no normalisation that could learn")
    return tuple(woken)


def _normalises(module: nn.Module) -> bool:
    # timm has normalisations of its own (RmsNorm …), which are of no common class
    return isinstance(module, _NORMALISATIONS) or "norm" in type(module).__name__.lower()


def unfreeze(detector: Detector) -> None:
    """Let everything learn again."""
    detector.requires_grad_(True)
    detector.frozen = ()
    detector.train(detector.training)


def trainable_parameters(detector: Detector) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Parameters that learn: of the backbone, and of the head; so that each has its own learning rate."""
    below = {id(parameter) for stage in detector.backbone_stages() for parameter in stage.parameters()}
    learning = [parameter for parameter in detector.parameters() if parameter.requires_grad]
    backbone = [parameter for parameter in learning if id(parameter) in below]
    return backbone, [parameter for parameter in learning if id(parameter) not in below]


def stages_of_children(root: nn.Module) -> list[Stage]:
    """The stages of a network whose children were registered in the order in which they are called.

    Each child with parameters is a stage, and so is each part of a plain list or sequence of blocks
    (``layer4.0``, ``layer4.1``); a normalisation belongs to what stands before it.
    """
    stages: list[Stage] = []
    for name, module in _pieces(root):
        if stages and isinstance(module, _NORMALISATIONS):
            last = stages[-1]
            stages[-1] = Stage(last.name, (*last.modules, module), last.loose)
        else:
            stages.append(Stage(name, (module,)))
    loose = tuple(root.parameters(recurse=False))
    if loose:
        stages[0] = Stage(stages[0].name, stages[0].modules, loose)
    return stages


def _pieces(root: nn.Module) -> list[tuple[str, nn.Module]]:
    pieces: list[tuple[str, nn.Module]] = []
    for name, child in root.named_children():
        parts = child.named_children() if type(child) in (nn.Sequential, nn.ModuleList) else []
        inside = [(f"{name}.{part}", module) for part, module in parts]
        pieces += inside or [(name, child)]
    return [(name, module) for name, module in pieces if any(True for _ in module.parameters())]


def _index_of(name: str, stages: Sequence[Stage]) -> int:
    for index, stage in enumerate(stages):
        if stage.name == name or stage.name.startswith(f"{name}."):
            return index
    known = ", ".join(stage.name for stage in stages)
    raise UsageError(f"there is no stage {name!r} to unfreeze from; the stages are, from the input: {known}")
