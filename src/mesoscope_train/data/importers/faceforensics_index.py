"""What the publisher of FaceForensics++ says about its sequences: official splits, and whence they were cut.

``dataset/splits/{train,val,test}.json`` of https://github.com/ondyari/FaceForensics hold 360, 70 and 70 pairs of
sequences; ``dataset/conversion_dict.json`` names the YouTube video each sequence was cut from ("R03Sko97IDE 0",
"R03Sko97IDE 1"): 1,000 sequences come from 977 videos, and seven of those videos stand in two official splits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope_train.data.importers.json_index import read_json

SPLIT_FILES = {"train": "train.json", "validation": "val.json", "test": "test.json"}
YOUTUBE_FILE = "conversion_dict.json"
_SEQUENCE = re.compile(r"\d{3}")
_CUT = re.compile(r"(\S+) \d+")


@dataclass(frozen=True, slots=True)
class Official:
    """The official splits.

    Attributes:
        split_of: sequence (``"004"``) to its split; empty where the lists are not there.
        pairs: the sequences that were swapped with each other.
    """

    split_of: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]


def read_official(root: Path, table: Path | None) -> Official:
    """The official lists, from the folder given, the root or its ``splits``.

    Raises:
        UsageError: some of the three lists are missing, one is broken, or a sequence stands in two of them; or a
            folder was given and has none.
    """
    places = [table] if table else [root, root / "splits"]
    place = next((place for place in places if any((place / name).is_file() for name in SPLIT_FILES.values())), None)
    if place is None:
        if table:
            raise UsageError(f"--table {table} must be the folder that holds {', '.join(SPLIT_FILES.values())}")
        return Official({}, ())
    split_of: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for split, name in SPLIT_FILES.items():
        for pair in _pairs(place / name):
            pairs.append(pair)
            for sequence in pair:
                if split_of.setdefault(sequence, split) != split:
                    raise UsageError(f"{place / name}: '{sequence}' stands in {SPLIT_FILES[split_of[sequence]]} too")
    return Official(split_of, tuple(pairs))


def _pairs(file: Path) -> Iterator[tuple[str, str]]:

    if not file.is_file():
        raise UsageError(f"{file} is missing: the official splits are {', '.join(SPLIT_FILES.values())}, all three")
    content = read_json(file)
    if not isinstance(content, list):
        raise UsageError(f"{file} must be a list of pairs of sequences")
    for entry in content:
        if not (isinstance(entry, list) and len(entry) == 2 and all(_is_sequence(name) for name in entry)):
            raise UsageError(f'{file}: {entry!r} is not a pair of sequences such as ["004", "982"]')
        yield entry[0], entry[1]


def _is_sequence(name: object) -> bool:
    return isinstance(name, str) and _SEQUENCE.fullmatch(name) is not None


def read_youtube(root: Path, table: Path | None) -> dict[str, str]:
    """Sequence to its YouTube video; empty where ``conversion_dict.json`` is not there.

    Raises:
        UsageError: the file is broken.
    """
    places = [*([table, table.parent] if table else []), root, root / "splits"]
    file = next((place / YOUTUBE_FILE for place in places if (place / YOUTUBE_FILE).is_file()), None)
    if file is None:
        return {}
    content = read_json(file)
    if not isinstance(content, dict):
        raise UsageError(f"{file} must be a JSON object, sequence to YouTube video")
    found: dict[str, str] = {}
    for sequence, cut in content.items():
        match = _CUT.fullmatch(cut) if isinstance(cut, str) else None
        if match is None or not _is_sequence(sequence):
            raise UsageError(f'{file}: "{sequence}": {cut!r} is not of the form "004": "VIDEO 0"')
        found[sequence] = match.group(1)
    return found


def same_video(youtube: Mapping[str, str], official: Official) -> list[tuple[str, str]]:
    """Pairs of sequences that link those of one YouTube video, as far as the official splits leave them together."""
    cuts: dict[tuple[str, str | None], list[str]] = {}
    for sequence, video in sorted(youtube.items()):
        cuts.setdefault((video, official.split_of.get(sequence)), []).append(sequence)
    return [pair for sequences in cuts.values() for pair in pairwise(sequences)]


def parted_videos(youtube: Mapping[str, str], official: Official) -> list[str]:
    """YouTube videos whose sequences stand in several official splits, in order."""
    splits: dict[str, set[str]] = {}
    for sequence, video in youtube.items():
        if sequence in official.split_of:
            splits.setdefault(video, set()).add(official.split_of[sequence])
    return sorted(video for video, found in splits.items() if len(found) > 1)
