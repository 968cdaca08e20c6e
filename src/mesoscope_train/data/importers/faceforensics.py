"""FaceForensics++ with its FaceShifter and DeepFakeDetection parts, in the folders its download script makes.

A fake is named ``TARGET_SOURCE``: the footage of the first, with the face or the expressions of the second
(``dataset/README.md`` of https://github.com/ondyari/FaceForensics, "Manipulated sequence filenames"; Rössler et al.:
FaceForensics++, ICCV 2019, https://arxiv.org/abs/1901.08971, appendix; for research only). Both leak, so both belong
to its group: a group is what the pairs connect, the official lists' pairs included. A pair across two official splits
contradicts the lists, which keep such pairs together, and is left out, counted.

Sequences that were cut from one YouTube video are one group too, as far as the official splits leave them together
(``conversion_dict.json``, where it is there). The actors' videos of DeepFakeDetection are no part of the official
lists; there the swaps connect the actors.

Identities are sequences (``ffpp:004``) or actors (``ffpp:actor-01``): nothing else is published about who is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, register
from mesoscope_train.data.importers.faceforensics_index import (
    SPLIT_FILES,
    YOUTUBE_FILE,
    Official,
    parted_videos,
    read_official,
    read_youtube,
    same_video,
)
from mesoscope_train.data.importers.faceforensics_layout import KINDS, Video, videos_of
from mesoscope_train.data.importers.layout import not_of_the_layout
from mesoscope_train.data.links import components


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a video or a frame; see `Importer.rows`."""
    if not any((root / kind.top / kind.name).is_dir() for kind in KINDS):
        raise not_of_the_layout(
            root, "folders such as original_sequences/youtube and manipulated_sequences/Deepfakes"
        )
    official = read_official(root, options.table)
    youtube = read_youtube(root, options.table)
    listed = videos_of(root, options.compressions, skips)
    videos = [video for video in listed if _in_one_split(video, official, skips)]
    swaps = [(video.target, video.source) for video in videos if video.source]
    group_of = components([*swaps, *official.pairs, *same_video(youtube, official)])
    _remark_on_splits(videos, official, skips)
    _remark_on_actors(videos, group_of, skips)
    _remark_on_youtube(videos, official, youtube, skips)
    for video in videos:
        values: dict[str, Value] = {
            "label": "fake" if video.source else "real",
            "group": f"ffpp:{group_of.get(video.target, video.target)}",
            "dataset": options.dataset or "faceforensics",
            "split": official.split_of.get(video.target),
            "generator": video.kind.name if video.source else None,
            "compression": video.compression,
            "identity": f"ffpp:{video.target}",
            "source_identity": f"ffpp:{video.source}" if video.source else None,
        }
        if youtube:
            values["youtube"] = youtube.get(video.target)
        for file in video.footage.files(root, skips):
            yield Row.of({**values, **file})


def _in_one_split(video: Video, official: Official, skips: Skips) -> bool:
    """Whether both sides of a swap are in the same official split, or both in none."""
    if video.source is None:
        return True
    splits = [official.split_of.get(side) for side in (video.target, video.source)]
    if splits[0] == splits[1]:
        return True
    reason = "one of its two sequences is in no official split, the other in one"
    if None not in splits:
        reason = "its two sequences are in different official splits"
    skips.add(reason, video.footage.path)
    return False


def _remark_on_splits(videos: Sequence[Video], official: Official, skips: Skips) -> None:
    if not official.split_of:
        skips.note(f"no official splits: {', '.join(SPLIT_FILES.values())} are neither in the root nor in splits/")
        return
    outside = sum(not video.kind.people and video.target not in official.split_of for video in videos)
    if outside:
        skips.note(f"videos in no official split, so that their split is empty: {outside:,}")


def _remark_on_actors(videos: Sequence[Video], group_of: Mapping[str, str], skips: Skips) -> None:
    sides = (side for video in videos if video.kind.people for side in (video.target, video.source))
    actors = {side for side in sides if side}
    if actors:
        groups = {group_of.get(actor, actor) for actor in actors}
        skips.note(
            f"DeepFakeDetection: the official splits do not cover its actors, and the swaps tie {len(actors)} of "
            f"them into {len(groups)} group(s), which no split divides: use it as a whole, for a test say"
        )


def _remark_on_youtube(videos: Sequence[Video], official: Official, youtube: Mapping[str, str], skips: Skips) -> None:
    parted = parted_videos(youtube, official)
    if parted:
        skips.note(
            f"YouTube videos whose sequences the official splits part, so that footage of one video stands in two of "
            f"them (column 'youtube'): {len(parted)} ({', '.join(parted[:3])}…)"
        )
    if not youtube and not all(video.kind.people for video in videos):
        skips.note(
            f"without the publisher's {YOUTUBE_FILE} it is not known which sequences were cut from the same YouTube "
            "video (1,000 come from 977), so such sequences are groups of their own"
        )


register(
    Importer(
        name="faceforensics",
        title="FaceForensics++ (with FaceShifter and DeepFakeDetection)",
        layout="ROOT/original_sequences/{youtube,actors}/{raw,c23,c40}/videos/NAME.mp4\n"
        "ROOT/manipulated_sequences/METHOD/{raw,c23,c40}/videos/TARGET_SOURCE.mp4\n"
        "(or {images,frames}/NAME/0000.png in place of videos/NAME.mp4)\n"
        "ROOT/{train,val,test}.json or ROOT/splits/{train,val,test}.json, ROOT/conversion_dict.json",
        source="https://github.com/ondyari/FaceForensics",
        rows=rows,
        options=frozenset({"table", "compressions"}),
    )
)
