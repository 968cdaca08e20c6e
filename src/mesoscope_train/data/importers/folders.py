"""Label folders: ``fake/`` and ``real/``, or any names that ``--label`` explains, below split folders or not.

The group of a file is the file itself unless ``--group`` says better: frames of one video in a flat folder need a
regular expression on their names, or they end on both sides of a split.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from mesoscope.errors import UsageError
from mesoscope.manifest import LABELS, Row, Value
from mesoscope.manifest.schema import EXTRA_NAME, REQUIRED
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, files_below, register
from mesoscope_train.data.importers.grouping import does_not_fit, grouping
from mesoscope_train.data.importers.layout import SPLIT_WORDS, Section, count_others, folder_names, sections


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a file below ``root/LABEL`` or ``root/SPLIT/LABEL``; see `Importer.rows`."""
    if options.subfolders and (not EXTRA_NAME.fullmatch(options.subfolders) or options.subfolders in REQUIRED):
        raise UsageError(f"--subfolders {options.subfolders}: not the name of a column that can be filled")
    parts = sections(root, SPLIT_WORDS, lambda folder: bool(_labelled(folder, options.labels)))
    if not parts:
        raise UsageError(
            f"{root} has no folder named real or fake, nor train, validation or test with such folders in them "
            f"(found: {', '.join(folder_names(root)) or 'none'}); "
            "say what its folders mean: --label NAME=real --label NAME=fake"
        )
    for part in parts:
        yield from _part(root, part, options, skips)
    _note_what_was_not_met(parts, options.labels, skips)
    if parts[0].folder != root:
        count_others(root, root, {part.folder.name for part in parts}, "the folder '{0}' is no split", skips)


def _labelled(folder: Path, words: Mapping[str, str]) -> dict[str, str]:
    """The folders in a folder that have a label, by name."""
    names = folder_names(folder)
    return {name: words.get(name) or name.lower() for name in names if name in words or name.lower() in LABELS}


def _part(root: Path, part: Section, options: ImportOptions, skips: Skips) -> Iterator[Row]:

    dataset = options.dataset or root.resolve().name
    rule = options.group or "file"
    group_of = grouping(rule)
    labelled = _labelled(part.folder, options.labels)
    for name, label in labelled.items():
        folder = part.folder / name
        for path in files_below(root, folder, skips):
            group = group_of(path)
            if group is None:
                skips.add(does_not_fit(rule), path)
                continue
            values: dict[str, Value] = {"split": part.split, "path": path, "label": label}
            values |= {"group": f"{dataset}:{group}", "dataset": dataset}
            below = PurePosixPath(path).relative_to(folder.relative_to(root).as_posix()).parts[:-1]
            if options.subfolders and below:
                values[options.subfolders] = below[0]
            yield Row.of(values)
    unlabelled = "the folder '{0}' has no label: name it with --label '{0}=real' or --label '{0}=fake'"
    count_others(root, part.folder, labelled, unlabelled, skips)


def _note_what_was_not_met(parts: list[Section], words: Mapping[str, str], skips: Skips) -> None:
    """Remark on words of ``--label`` that name no folder: they may be misspelt."""
    for word, label in words.items():
        if not any((part.folder / word).is_dir() for part in parts):
            skips.note(f"--label {word}={label}: there is no folder '{word}'")


register(
    Importer(
        name="folders",
        title="Folders named after their label",
        layout="ROOT/real/**.jpg\nROOT/fake/**.png\n(any names with --label NAME=real, "
        "or the same in ROOT/train, ROOT/validation, ROOT/test)",
        source="the common layout of image classification (torchvision's ImageFolder)",
        rows=rows,
        options=frozenset({"labels", "group", "subfolders"}),
    )
)
