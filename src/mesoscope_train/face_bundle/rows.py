"""Which pictures, with what label and group, in which split.

Groups never stand on both sides: of ``dfdc-faces`` a fake belongs to the video it was made from
(``original``), of ``mesonet-faces`` the number before ``_`` and the label are the source video. The split is
a function of the group's name alone, so that anybody gets the same one from the same files.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from mesoscope.errors import UsageError

Split = Literal["train", "validation", "test"]
TEST_SHARE, VALIDATION_SHARE = 0.15, 0.15


@dataclass(frozen=True, slots=True)
class Row:
    """One picture. `path` is relative to the data directory; `label` is ``real`` or ``fake``."""

    path: str
    label: str
    group: str
    dataset: str
    split: Split

    @property
    def is_fake(self) -> bool:
        """The label as a truth value."""
        return self.label == "fake"


def split_of(group: str) -> Split:
    """The split of a group, by the hash of its name: 15 % test, 15 % validation, 70 % train."""
    share = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) / 2**32
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


def read_rows(data: Path) -> list[Row]:
    """All pictures of ``dfdc-faces`` and ``mesonet-faces`` below `data`, in a fixed order.

    Raises:
        UsageError: one of the two is absent.
    """
    rows = [*_dfdc(data), *_mesonet(data)]
    missing = [row.path for row in rows if not (data / row.path).is_file()]
    if missing:
        raise UsageError(f"{len(missing)} pictures of the tables are missing below {data}, the first: {missing[0]}")
    return rows


def _dfdc(data: Path) -> Iterator[Row]:
    table = data / "dfdc-faces" / "metadata.csv"
    if not table.is_file():
        raise UsageError(f"{table} is missing: the DFDC face table (metadata.csv and faces_224/) is needed")
    with table.open(newline="", encoding="utf-8") as file:
        for entry in csv.DictReader(file):
            label = {"FAKE": "fake", "REAL": "real"}[entry["label"]]
            group = "dfdc:" + (entry["original"] if label == "fake" else entry["videoname"])
            path = f"dfdc-faces/faces_224/{Path(entry['videoname']).stem}.jpg"
            yield Row(path, label, group, "dfdc-faces", split_of(group))


def _mesonet(data: Path) -> Iterator[Row]:
    for label in ("real", "fake"):
        folder = data / "mesonet-faces" / label
        if not folder.is_dir():
            raise UsageError(f"{folder} is missing: the MesoNet face crops (real/ and fake/) are needed")
        for path in sorted(folder.iterdir()):
            group = f"meso:{label}:{path.name.partition('_')[0]}"
            yield Row(f"mesonet-faces/{label}/{path.name}", label, group, "mesonet-faces", split_of(group))


def as_csv(rows: list[Row]) -> str:
    """The manifest as CSV text; its sha256 goes into the bundle."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(field.name for field in fields(Row))
    writer.writerows(astuple(row) for row in rows)
    return buffer.getvalue()
