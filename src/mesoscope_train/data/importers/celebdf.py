"""Celeb-DF (v2; v1 has the same layout): celebrities' videos, swaps among them, other YouTube videos, a test list.

A swap is named ``idA_idB_000X``: the footage ``idA_000X`` of Celeb-real with the face of B. A is the target, B the
source: polimi-ispl/icpr2020dfdc, ``index_celebdf.py``, takes ``A_X`` as its original, and the official list has the
real video ``id1_0007`` together with its swaps ``id1_id0_0007``, ``id1_id3_0007`` …

``List_of_testing_videos.txt`` has lines such as ``1 YouTube-real/00170.mp4``, in which **1 means real** and 0 fake.
The label is what folder and list agree on; where they do not, the video is left out, counted.

The official list is the test part; the rest has no split. It shares identities with the rest, even footage, so groups
cannot span both: test rows have groups of their own (``celebdf:test:id1``), the others the target identity
(``celebdf:id1``), and the columns ``identity`` and ``source_identity`` keep the truth, for an audit to find. Faces
that were put in link nearly all identities, so a group by target does not keep them apart: the remarks count it.

Li, Yang, Sun, Qi, Lyu: Celeb-DF (CVPR 2020, https://arxiv.org/abs/1909.12962); for research only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, register
from mesoscope_train.data.importers.footage import Footage, footage
from mesoscope_train.data.importers.layout import count_others, folder_names, not_of_the_layout

_LIST = "List_of_testing_videos.txt"
_LINE = re.compile(r"([01])\s+(\S+)/(\S+)\.mp4")
_LABEL_OF_FLAG = {"1": "real", "0": "fake"}
_TARGET = r"(?P<target>id\d+)"
_KINDS = {
    "Celeb-real": ("real", re.compile(rf"{_TARGET}_(?P<clip>\d+)")),
    "Celeb-synthesis": ("fake", re.compile(rf"{_TARGET}_(?P<source>id\d+)_(?P<clip>\d+)")),
    "YouTube-real": ("real", re.compile(r"\d+")),
}
_PROPER = {kind.lower(): kind for kind in _KINDS}


@dataclass(frozen=True, slots=True)
class _Video:
    """One video.

    Attributes:
        footage: the file, or its frames.
        label: of its folder.
        test: whether the official list has it.
        target: whose footage it is (``id1``); None where that is not known, of YouTube-real.
        source: whose face was put in; None of real videos.
        clip: the footage, which all its swaps share (``id1_0007``).
    """

    footage: Footage
    label: str
    test: bool
    target: str | None
    source: str | None
    clip: str


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a video or a frame; see `Importer.rows`."""
    kinds = {name: _PROPER[name.lower()] for name in folder_names(root) if name.lower() in _PROPER}
    if not kinds:
        raise not_of_the_layout(root, f"the folders {', '.join(_KINDS)}")
    listed = _read_list(options.table or root / _LIST)
    found = {name: footage(root, root / name, skips) for name in kinds}
    videos = [video for name, kind in kinds.items() for video in _videos(found[name], kind, listed, skips)]
    met = {(kinds[folder].lower(), video.name) for folder, there in found.items() for video in there}
    for kind, name in sorted(listed.keys() - met):
        skips.add(f"in {_LIST}, but the video is missing", f"{_PROPER.get(kind, kind)}/{name}.mp4")
    count_others(root, root, kinds, f"the folder '{{0}}' is none of {', '.join(_KINDS)}", skips)
    _remark(videos, skips)
    for video in videos:
        values: dict[str, Value] = {
            "label": video.label,
            "group": _group(video),
            "dataset": options.dataset or "celebdf",
            "split": "test" if video.test else None,
            "identity": f"celebdf:{video.target}" if video.target else None,
            "source_identity": f"celebdf:{video.source}" if video.source else None,
        }
        for file in video.footage.files(root, skips):
            yield Row.of({**values, **file})


def _read_list(file: Path) -> dict[tuple[str, str], set[str]]:
    """Folder (in small letters) and name of each video of the official list to the labels it gives it.

    Raises:
        UsageError: the list is missing, or a line is of another form.
    """
    if not file.is_file():
        raise UsageError(
            f"{file} is missing: without the official list the test videos would be mixed with the others; "
            "say where it is with --table"
        )
    found: dict[tuple[str, str], set[str]] = {}
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise UsageError(f"{file}, line {number}: {line!r} is not of the form '1 YouTube-real/00170.mp4'")
        flag, folder, name = match.groups()
        found.setdefault((folder.lower(), name), set()).add(_LABEL_OF_FLAG[flag])
    return found


def _videos(
    there: Iterable[Footage], kind: str, listed: Mapping[tuple[str, str], set[str]], skips: Skips
) -> Iterator[_Video]:
    """The videos of one folder that its name, theirs and the list agree on."""
    label, form = _KINDS[kind]
    for found in there:
        said = listed.get((kind.lower(), found.name))
        match = form.fullmatch(found.name)
        if match is None:
            skips.add(f"the name is not of the form of {kind}", found.path)
            continue
        if said is not None and said != {label}:
            skips.add(f"{_LIST} and the folder disagree on the label", found.path)
            continue
        parts = match.groupdict()
        target, source = parts.get("target"), parts.get("source")
        clip = f"{target}_{parts['clip']}" if target else f"youtube_{found.name}"
        yield _Video(found, label, said is not None, target, source, clip)


def _group(video: _Video) -> str:
    if video.target is None:
        return f"celebdf:{video.clip}"
    return f"celebdf:test:{video.target}" if video.test else f"celebdf:{video.target}"


def _remark(videos: Sequence[_Video], skips: Skips) -> None:
    """Say what groups by target do not keep apart."""
    test = [video for video in videos if video.test]
    rest = [video for video in videos if not video.test]
    shared = [
        f"{len(mine & theirs)} of its {len(mine)} {what}"
        for what, mine, theirs in (
            ("identities seen", _seen(test), _seen(rest) | _put_in(rest)),
            ("identities put in", _put_in(test), _seen(rest) | _put_in(rest)),
            ("pieces of footage", _clips(test), _clips(rest)),
        )
        if mine & theirs
    ]
    if shared:
        skips.note(f"the official test list shares with the other videos {', '.join(shared)}")
    sources = _put_in(rest) & _seen(rest)
    if sources:
        skips.note(
            f"outside the test list {len(_seen(rest))} identities have groups, and the faces of {len(sources)} of "
            "them are put into other groups' footage: train and validation will share faces (source_identity)"
        )


def _seen(videos: Sequence[_Video]) -> set[str]:
    return {video.target for video in videos if video.target}


def _put_in(videos: Sequence[_Video]) -> set[str]:
    return {video.source for video in videos if video.source}


def _clips(videos: Sequence[_Video]) -> set[str]:
    return {video.clip for video in videos}


register(
    Importer(
        name="celebdf",
        title="Celeb-DF v2 (and v1)",
        layout="ROOT/{Celeb-real,YouTube-real,Celeb-synthesis}/NAME.mp4\n"
        "(or videos/NAME.mp4, or {frames,images}/NAME/000.png in them)\n"
        "ROOT/List_of_testing_videos.txt  (lines such as '1 YouTube-real/00170.mp4'; 1 = real)",
        source="https://github.com/yuezunli/celeb-deepfakeforensics",
        rows=rows,
        options=frozenset({"table"}),
    )
)
