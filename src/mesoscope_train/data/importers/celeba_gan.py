"""CelebA's aligned photographs against folders of faces that a GAN made.

CelebA is published as ``Img/img_align_celeba``, ``Anno/identity_CelebA.txt`` ("000001.jpg 2880"),
``Eval/list_eval_partition.txt`` ("000001.jpg 0") and ``Anno/list_attr_celeba.txt``; torchvision puts all of them into
``celeba/``, Kaggle has the lists as ``.csv`` and the photographs one folder deeper. The group is the person. Without
the identity file photographs of one person would stand on both sides of a split, so it must be there.

The million StyleGAN faces of archive.org and Kaggle lie in folders ``1m_faces_00`` …; other folders of fakes are
named with ``--label FOLDER=fake``. No two fakes are of one person: each is a group of its own, in no official split.

Liu, Luo, Wang, Tang: Deep Learning Face Attributes in the Wild (ICCV 2015, https://arxiv.org/abs/1411.7766); for
research only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from mesoscope.errors import UsageError
from mesoscope.manifest import Row, Value
from mesoscope_train.data.importers.celeba_lists import find_list, read_list
from mesoscope_train.data.importers.contract import (
    PICTURE_SUFFIXES,
    Importer,
    ImportOptions,
    Skips,
    files_below,
    register,
)
from mesoscope_train.data.importers.layout import count_others, folder_names, not_of_the_layout

_PHOTOS = "img_align_celeba"
_PLACES = ("", "Img", "celeba", "celeba/Img")
_SPLITS = {"0": "train", "1": "validation", "2": "test"}
_GENDERS = {"1": "male", "-1": "female"}
_MILLION = re.compile(r"1m_faces(_\d+)+")


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a picture; see `Importer.rows`."""
    photos = next((root / place / _PHOTOS for place in _PLACES if (root / place / _PHOTOS).is_dir()), None)
    if photos is None:
        raise not_of_the_layout(root, f"the folder {_PHOTOS} (here, in Img or in celeba)")
    top = photos.relative_to(root).parts[0]
    fakes = _folders_of_fakes(root, top, options.labels, skips)
    dataset = options.dataset or "celeba-gan"
    for values in _real(root, photos, options.table, skips):
        yield Row.of({**values, "dataset": dataset})
    for folder in fakes:
        for path in files_below(root, root / folder, skips, PICTURE_SUFFIXES):
            yield Row.of({**_fake(path, folder), "dataset": dataset})
    taken = [top, *(PurePosixPath(folder).parts[0] for folder in fakes)]
    count_others(root, root, taken, "the folder '{0}' has no label: name it with --label '{0}=fake'", skips)
    if photos.parent != root:
        count_others(root, photos.parent, [_PHOTOS], "the folder '{0}' is not that of the aligned photographs", skips)


def _folders_of_fakes(root: Path, top: str, labels: Mapping[str, str], skips: Skips) -> list[str]:
    """Folders that hold fakes, by their published names or by what the user says, in order."""
    found = {name for name in folder_names(root) if _MILLION.fullmatch(name)}
    for word, label in labels.items():
        folder = PurePosixPath(word).as_posix()
        if label == "real" or folder.split("/")[0] == top:
            raise UsageError(
                f"--label {word}={label}: the photographs are those of {_PHOTOS}, the identity file knows no others; "
                "name folders of fakes, and import other photographs as 'folders'"
            )
        if (root / folder).is_dir():
            found.add(folder)
        else:
            skips.note(f"--label {word}={label}: there is no folder '{word}'")
    if not found:
        skips.note("no folder of fakes: name it with --label FOLDER=fake")
    return sorted(found)


def _fake(path: str, folder: str) -> dict[str, Value]:

    million = _MILLION.fullmatch(folder)
    own = f"1m_faces:{PurePosixPath(path).stem}" if million else f"celeba-gan:{path}"
    return {"path": path, "label": "fake", "group": own, "generator": "StyleGAN" if million else folder}


def _real(root: Path, photos: Path, table: Path | None, skips: Skips) -> Iterator[dict[str, Value]]:
    """The photographs that the identity file names."""
    file = table or find_list(root, "identity_CelebA")
    if file is None or not file.is_file():
        raise UsageError(
            f"{file or root / 'identity_CelebA.txt'} is missing: without it photographs of one person would stand on "
            "both sides of a split; CelebA's authors publish it (Anno), say where it is with --table"
        )
    people = read_list(file)
    partition = find_list(root, "list_eval_partition")
    splits = read_list(partition, values=_SPLITS) if partition else {}
    attributes = find_list(root, "list_attr_celeba")
    genders = read_list(attributes, column="Male", values=_GENDERS) if attributes else {}
    for path in files_below(root, photos, skips, PICTURE_SUFFIXES):
        name = PurePosixPath(path).stem
        if name not in people:
            skips.add(f"no entry in {file.name}", path)
            continue
        yield {
            "path": path,
            "label": "real",
            "group": f"celeba:{people[name]}",
            "identity": f"celeba:{people[name]}",
            "split": splits.get(name),
            "gender": genders.get(name),
        }
    missing = people.keys() - {picture.stem for picture in photos.rglob("*.*")}
    if missing:
        skips.add(f"in {file.name}, but the picture is missing", f"{min(missing)}.jpg", len(missing))
    _remark(people, splits, skips)


def _remark(people: Mapping[str, str], splits: Mapping[str, str], skips: Skips) -> None:

    if not splits:
        skips.note("no official splits: list_eval_partition.txt is not there")
        return
    outside = sum(name not in splits for name in people)
    if outside:
        skips.note(f"photographs in no official partition, so that their split is empty: {outside:,}")
    seen: dict[str, str] = {}
    across = {
        person
        for name, person in people.items()
        if seen.setdefault(person, splits.get(name, "")) != splits.get(name, "")
    }
    if across:
        skips.note(f"people whom the official partition cuts through (an audit will say so): {len(across):,}")


register(
    Importer(
        name="celeba-gan",
        title="CelebA photographs against GAN faces",
        layout="ROOT/img_align_celeba/000001.jpg (or in Img/, celeba/, celeba/Img/)\n"
        "ROOT/{identity_CelebA,list_eval_partition,list_attr_celeba}.txt (or .csv; or in Anno/, Eval/, celeba/)\n"
        "ROOT/1m_faces_NN/**.jpg, or ROOT/FOLDER/** with --label FOLDER=fake",
        source="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        rows=rows,
        options=frozenset({"labels", "table"}),
    )
)
