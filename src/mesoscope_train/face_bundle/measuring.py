"""How a bundle does on labelled folders, through the product's own front door: `mesoscope.Detector`.

Every picture is counted, those without an answer too. Intervals are bootstrapped by group: groups, not
pictures, are drawn again, because pictures of one group are not independent.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mesoscope import Detector
from mesoscope.media import MEDIA_SUFFIXES
from mesoscope.metrics import Undefined, auc_draws, roc_auc
from mesoscope.metrics.undefined import group_codes
from mesoscope.types import FileResult, Outcome
from mesoscope_train.face_bundle.rows import Row, read_rows

DRAWS = 1000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A data set to measure on.

    Attributes:
        name: for the table.
        rows: pictures with label and group.
        faces: the finder; ``none`` where the pictures already are crops like those of the training.
        seen: what of it took part in training or validation, in words.
    """

    name: str
    rows: Sequence[Row]
    faces: str
    seen: str


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table. Shares are of all pictures of that label, with or without an answer.

    Attributes:
        name, seen: of the data set.
        n_real, n_fake: pictures.
        unanswered: how many of them ended as not_applicable or error.
        auc: of those with an answer, with its 95 % interval; None where one label is absent.
        real_called_fake, fake_called_fake, inconclusive: shares, None where the label is absent.
    """

    name: str
    seen: str
    n_real: int
    n_fake: int
    unanswered: int
    auc: tuple[float, float, float] | None
    real_called_fake: float | None
    fake_called_fake: float | None
    inconclusive: float


def data_sets(data: Path) -> Iterator[Labelled]:
    """The sets below `data` that a face bundle can be measured on; absent ones are left out."""
    ours = [row for row in read_rows(data) if row.split == "test"]
    for name in ("dfdc-faces", "mesonet-faces"):
        rows = [row for row in ours if row.dataset == name]
        yield Labelled(f"{name}, test groups", rows, "none", "other groups of it were trained on")
    for name, grouping in (
        ("ciplab-faces", _base_photos),
        ("stylegan2-vs-ffhq", _by_file),
        ("tpdne-vs-unsplash", _by_file),
        ("portraits", _by_file),
        ("sd3-portraits", _by_file),
        ("group-photos", _by_file),
    ):
        if (data / name).is_dir():
            yield Labelled(name, list(_folder(data, name, grouping(data))), "dlib", "nothing")


def _folder(data: Path, name: str, group_of: Callable[[str], str]) -> Iterator[Row]:
    for label in ("real", "fake"):
        folder = data / name / label
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.suffix.lower() in MEDIA_SUFFIXES:
                relative = path.relative_to(data).as_posix()
                yield Row(relative, label, group_of(relative), name, "test")


def _by_file(_data: Path) -> Callable[[str], str]:
    return lambda path: path


def _base_photos(data: Path) -> Callable[[str], str]:
    with (data / "ciplab-faces" / "labels.csv").open(newline="", encoding="utf-8") as file:
        base = {f"ciplab-faces/{entry['file']}": entry["base_photo"] for entry in csv.DictReader(file)}
    return lambda path: base.get(path) or path


def measure(bundle: str, sets: Iterable[Labelled], data: Path) -> Iterator[Measured]:
    """Judge every picture of every set with a bundle."""
    for labelled in sets:
        detector = Detector.load(bundle, faces=labelled.faces)
        results = list(detector.detect_many(data / row.path for row in labelled.rows))
        yield _measured(labelled, results)


def _measured(labelled: Labelled, results: Sequence[FileResult]) -> Measured:
    fake = np.array([row.is_fake for row in labelled.rows])
    groups = np.array([row.group for row in labelled.rows])
    outcomes = np.array([result.outcome for result in results])
    answered = np.array([result.logit is not None for result in results])
    logits = np.array([result.logit for result in results if result.logit is not None], dtype=np.float64)

    def share(label: bool) -> float | None:
        of = fake == label
        return float((outcomes[of] == Outcome.FAKE).mean()) if of.any() else None

    return Measured(
        name=labelled.name,
        seen=labelled.seen,
        n_real=int((~fake).sum()),
        n_fake=int(fake.sum()),
        unanswered=int((~answered).sum()),
        auc=auc_by_group(logits, fake[answered], groups[answered]),
        real_called_fake=share(False),
        fake_called_fake=share(True),
        inconclusive=float((outcomes == Outcome.INCONCLUSIVE).mean()),
    )


def auc_by_group(
    logits: Floats, fake: npt.NDArray[np.bool_], groups: npt.NDArray[np.str_], seed: int = 0
) -> tuple[float, float, float] | None:
    """ROC AUC with its 95 % percentile interval over groups drawn with replacement; None where nothing is ranked."""
    area = roc_auc(fake, logits)
    if isinstance(area, Undefined):
        return None
    codes, count = group_codes(groups)
    # a draw with a single label has no AUC
    drawn = auc_draws(fake, logits, codes, count, draws=DRAWS, seed=seed)
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return area, float(low), float(high)


def as_markdown(measured: Iterable[Measured]) -> str:
    """The table."""
    lines = [
        "| data | real / fake | no answer | AUC (95 %, by group) | reals called fake | fakes called fake "
        "| inconclusive | seen in training |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in measured:
        auc = "–" if row.auc is None else f"{row.auc[0]:.3f} ({row.auc[1]:.3f}–{row.auc[2]:.3f})"
        lines.append(
            f"| {row.name} | {row.n_real} / {row.n_fake} | {row.unanswered} | {auc} "
            f"| {_percent(row.real_called_fake)} | {_percent(row.fake_called_fake)} | {_percent(row.inconclusive)} "
            f"| {row.seen} |"
        )
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
