"""Label folders: ``fake/`` and ``real/``, or any names that ``--label`` explains."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from mesoscope.errors import UsageError
from mesoscope.manifest import LABELS, Row
from mesoscope_train.data.importers.contract import Importer, ImportOptions, Skips, files_below, register


def rows(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
    """A row a file below ``root/LABEL``; see `Importer.rows`."""
    labels = {**{label: label for label in LABELS}, **options.labels}
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    known = [name for name in folders if name in labels or name.lower() in LABELS]
    if not known:
        raise UsageError(
            f"{root} has no folder named real or fake (found: {', '.join(folders) or 'none'}); "
            "say what its folders mean: --label NAME=real --label NAME=fake"
        )
    dataset = options.dataset or root.resolve().name
    group_of = grouping(options.group or "file")
    for name in folders:
        if name not in known:
            skips.add(f"the folder '{name}' has no label: name it with --label {name}=real or {name}=fake", name)
            continue
        label = labels.get(name) or name.lower()
        for path in files_below(root, root / name, skips):
            group = group_of(path)
            if group is None:
                skips.add(f"the path does not fit the grouping '{options.group}'", path)
                continue
            below = PurePosixPath(path).parts[1:-1]
            values = {"path": path, "label": label, "group": f"{dataset}:{group}", "dataset": dataset}
            if options.subfolders and below:
                values[options.subfolders] = below[0]
            yield Row.of(values)


def grouping(rule: str) -> Callable[[str], str | None]:
    """A function from a relative path to its group, None where the path does not fit.

    Args:
        rule: ``file``, ``folder``, or a regular expression whose first parenthesis is the group.

    Raises:
        UsageError: the expression is broken or has no parenthesis.
    """
    if rule == "file":
        return lambda path: path
    if rule == "folder":
        return lambda path: PurePosixPath(path).parent.as_posix()
    try:
        expression = re.compile(rule)
    except re.error as error:
        raise UsageError(f"--group {rule}: not a regular expression: {error}") from error
    if not expression.groups:
        raise UsageError(f"--group {rule}: put the part that names the group into parentheses")

    def found(path: str) -> str | None:
        match = expression.search(path)
        return match.group(1) if match else None

    return found


register(
    Importer(
        name="folders",
        title="Folders named after their label",
        layout="ROOT/real/**.jpg  ROOT/fake/**.png  (any names with --label NAME=real)",
        source="the common layout of image classification (torchvision's ImageFolder)",
        rows=rows,
        options=frozenset({"labels", "group", "subfolders"}),
    )
)
