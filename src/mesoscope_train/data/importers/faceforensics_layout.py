"""The folders and names of FaceForensics++: which kinds of videos there are, and what a name says.

From ``dataset/README.md`` and ``dataset/extract_compressed_videos.py`` of https://github.com/ondyari/FaceForensics.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope_train.data.importers.contract import Skips
from mesoscope_train.data.importers.footage import Footage, footage
from mesoscope_train.data.importers.layout import count_others, folder_names

_COMPRESSIONS = {"raw": "c0", "c0": "c0", "c23": "c23", "c40": "c40"}
"""The download script's folder to the paper's word; what is called raw is H.264 without loss."""
_ACTOR = "actor-"
"""Stands before the number of an actor, so that no actor is taken for a sequence."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One folder of videos of one kind.

    Attributes:
        top: the folder it lies in.
        name: its own name; of fakes, the method.
        people: put before the numbers of those who are seen.
        form: of a video's name; its groups are the target and, of fakes, the source.
    """

    top: str
    name: str
    people: str
    form: re.Pattern[str]


REAL, FAKE = "original_sequences", "manipulated_sequences"
KINDS = (
    Kind(REAL, "actors", _ACTOR, re.compile(r"(\d\d)__.+")),
    Kind(REAL, "youtube", "", re.compile(r"(\d{3})")),
    Kind(FAKE, "DeepFakeDetection", _ACTOR, re.compile(r"(\d\d)_(\d\d)__.+__\w{8}")),
    *(
        Kind(FAKE, method, "", re.compile(r"(\d{3})_(\d{3})"))
        for method in ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")
    ),
)


@dataclass(frozen=True, slots=True)
class Video:
    """A video with what its place and its name say.

    Attributes:
        footage: the file, or its frames.
        kind: the folder it lies in.
        compression: ``c0``, ``c23`` or ``c40``.
        target: whose footage it is: a sequence (``004``) or an actor (``actor-01``).
        source: whose face or expressions were put in; None of originals.
    """

    footage: Footage
    kind: Kind
    compression: str
    target: str
    source: str | None


def videos_of(root: Path, compressions: Collection[str], skips: Skips) -> list[Video]:
    """The videos of all kinds, originals first.

    Args:
        root: of the set.
        compressions: those wanted, by either name; empty for all that are there.
        skips: counts what is no part of the published set, and videos with other names.

    Raises:
        UsageError: one of the compressions does not exist, or none of those wanted is there.
    """
    unknown = [name for name in compressions if name not in _COMPRESSIONS]
    if unknown:
        raise UsageError(f"--compression {unknown[0]}: FaceForensics++ has c0 (also called raw), c23 and c40")
    wanted = frozenset(_COMPRESSIONS[name] for name in compressions or _COMPRESSIONS)
    found = list(_videos(root, wanted, skips))
    if not found and compressions:
        raise UsageError(f"{root} has no videos of the compression {', '.join(compressions)}")
    return found


def _videos(root: Path, wanted: frozenset[str], skips: Skips) -> Iterator[Video]:
    for kind in KINDS:
        if (root / kind.top / kind.name).is_dir():
            yield from _of_one_kind(root, kind, wanted, skips)
    for top in (REAL, FAKE):
        if (root / top).is_dir():
            known = [kind.name for kind in KINDS if kind.top == top]
            count_others(root, root / top, known, "the folder '{0}' is no part of the published set", skips)


def _of_one_kind(root: Path, kind: Kind, wanted: frozenset[str], skips: Skips) -> Iterator[Video]:
    place = root / kind.top / kind.name
    for folder in folder_names(place):
        compression = _COMPRESSIONS.get(folder)
        if compression is None or compression not in wanted:
            continue
        for found in footage(root, place / folder, skips):
            match = kind.form.fullmatch(found.name)
            if match is None:
                skips.add(f"the name is not of the form of {kind.top}/{kind.name}", found.path)
                continue
            target, *source = (kind.people + number for number in match.groups())
            yield Video(found, kind, compression, target, source[0] if source else None)
    count_others(root, place, _COMPRESSIONS, "the folder '{0}' is none of a compression (masks, models)", skips)
