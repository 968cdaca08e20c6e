"""How much was kept, how much was left out and why, for each label; and what that means for the set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import Any

from mesoscope.manifest import LABELS
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.records import REASONS, WHOLE_FILE, FileRecord, Reason

SIGNIFICANT = 0.05
MIXED = "several reasons"
"""Why a file was left out of which each frame was left out for another reason."""


@dataclass(slots=True)
class Tally:
    """Counts of one label.

    Attributes:
        files: source files.
        files_left_out: those of which no crop was made.
        frames: that were looked at, of files that can be read.
        frames_left_out: those of which no crop was made.
        crops: that were written.
        why: reason in words to the number of files that were wholly left out for it.
        frame_reasons: reason in words to how often it struck: faces for a small face, else frames.
        crowded: files with at least one frame of which several faces were kept.
        notices: code of what the reader remarked to the number of files.
    """

    files: int = 0
    files_left_out: int = 0
    frames: int = 0
    frames_left_out: int = 0
    crops: int = 0
    why: Counter[str] = field(default_factory=Counter)
    frame_reasons: Counter[str] = field(default_factory=Counter)
    crowded: int = 0
    notices: Counter[str] = field(default_factory=Counter)

    def add(self, record: FileRecord) -> None:
        """Count one source file."""
        self.files += 1
        self.frames += record.frames
        self.frames_left_out += record.frames - record.frames_kept()
        self.crops += len(record.crops)
        self.crowded += record.crowded > 0
        self.notices.update(record.notices)
        self.frame_reasons.update(
            {REASONS[reason]: count for reason, count in record.left_out.items() if reason not in WHOLE_FILE}
        )
        if not record.crops:
            self.files_left_out += 1
            self.why[_why(record)] += 1

    def to_json(self) -> dict[str, Any]:
        """The attributes as plain data."""
        # not `asdict`, which makes a counter of pairs out of a counter
        values = ((entry.name, getattr(self, entry.name)) for entry in fields(self))
        return {name: dict(value.most_common()) if isinstance(value, Counter) else value for name, value in values}

    def share_left_out(self) -> float:
        """Of the files, in [0, 1]."""
        return self.files_left_out / self.files if self.files else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run gave.

    Attributes:
        labels: label to its counts, in the order of `mesoscope.manifest.LABELS` where they occur.
        remarks: sentences that put the numbers in their place.
    """

    labels: dict[str, Tally]
    remarks: tuple[str, ...]

    def total(self) -> Tally:
        """All labels together."""
        total = Tally()
        for tally in self.labels.values():
            for name in ("files", "files_left_out", "frames", "frames_left_out", "crops", "crowded"):
                setattr(total, name, getattr(total, name) + getattr(tally, name))
            total.why.update(tally.why)
            total.frame_reasons.update(tally.frame_reasons)
            total.notices.update(tally.notices)
        return total

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "labels": {label: tally.to_json() for label, tally in self.labels.items()},
            "total": self.total().to_json(),
            "remarks": list(self.remarks),
        }


def summarise(records: Iterable[FileRecord], labels: Iterable[str], options: CropOptions) -> Summary:
    """Count the records of a run.

    Args:
        records: one a finished row, in the manifest's order.
        labels: of all rows.
        options: of the run.
    """
    tallies: dict[str, Tally] = {}
    numbered = enumerate(labels)
    for record in records:
        label = next(value for row, value in numbered if row == record.row)
        tallies.setdefault(label, Tally()).add(record)
    ordered = {label: tallies[label] for label in LABELS if label in tallies}
    summary = Summary(ordered, ())
    return Summary(ordered, tuple(_remarks(summary, options)))


def _why(record: FileRecord) -> str:
    reasons: list[Reason] = list(record.left_out)
    return REASONS[reasons[0]] if len(reasons) == 1 else MIXED


def _remarks(summary: Summary, options: CropOptions) -> Iterable[str]:
    for one, other in combinations(summary.labels, 2):
        sentence = difference(one, summary.labels[one], other, summary.labels[other])
        if sentence:
            yield sentence
    fake = summary.labels.get("fake")
    if options.faces == "all" and fake is not None and fake.crowded:
        files = "1 file labelled fake shows" if fake.crowded == 1 else f"{fake.crowded:,} files labelled fake show"
        yield (
            f"{files} several faces in one frame, and every one was kept as fake: where only one person was "
            "manipulated, the label is wrong for the others (--faces one leaves such frames out)"
        )
    damaged = sum(count for code, count in summary.total().notices.items() if code.startswith("video_"))
    if damaged:
        files = "1 video is" if damaged == 1 else f"{damaged:,} videos are"
        yield f"{files} damaged or incomplete; the frames that can be read were used"


def difference(one: str, first: Tally, other: str, second: Tally) -> str | None:
    """A sentence where two labels are left out at rates that differ by more than chance (Fisher's exact test)."""
    from scipy.stats import fisher_exact  # noqa: PLC0415 - half a second that sets of one label need not pay

    table = [[tally.files_left_out, tally.files - tally.files_left_out] for tally in (first, second)]
    chance = float(fisher_exact(table).pvalue)
    if chance >= SIGNIFICANT:
        return None
    return (
        f"{first.share_left_out():.1%} of the {one} files were left out and {second.share_left_out():.1%} of the "
        f"{other} ones (Fisher's exact test: p = {chance:.1g}): what is left is no random part of the set, and what "
        "decided, such as framing or the number of people, may differ between the labels"
    )
