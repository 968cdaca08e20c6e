"""Putting a bundle in its place: as a whole or not at all, and never over something else. Imports no torch."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mesoscope.atomic import explained, make_directory
from mesoscope.bundle import (
    CARD_FILE,
    CONTRACT_FILE,
    GRAPH_FILE,
    PAYLOAD_FILES,
    WEIGHTS_FILE,
    Bundle,
    BundleContract,
    read_bundle,
    sha256_of,
)
from mesoscope.errors import UsageError
from mesoscope_train.errors import ExportError


def check_place(target: Path, overwrite: bool) -> None:
    """Refuse a place that is taken.

    Raises:
        UsageError: something is there that may not, or must not, be replaced.
    """
    if not target.exists():
        return
    if not overwrite:
        raise UsageError(f"{target} is already there; ask for it to be replaced, or choose another name or version")
    if not (target / CONTRACT_FILE).is_file():
        raise UsageError(f"{target} is there and is no bundle, so it is not replaced; choose another place")


def publish(staged: Path, target: Path) -> None:
    """Put the finished bundle in its place; an older one goes the way of the workshop.

    Raises:
        ExportError: the directory cannot be renamed.
    """
    try:
        if target.exists():
            target.rename(staged.parent / "replaced")
        staged.rename(target)
    except OSError as error:
        raise ExportError(f"{target} cannot be put in place ({error.strerror})") from None


def next_version(version: str) -> str:
    """``1`` to ``2``, ``1.4`` to ``1.5``."""
    *rest, last = version.split(".")
    return ".".join([*rest, str(int(last) + 1)])


def write_copy(
    bundle: Bundle,
    out: Path,
    changes: Mapping[str, Any],
    card: str,
    *,
    write_graph: Callable[[Path], None] | None = None,
    overwrite: bool = False,
) -> Bundle:
    """A bundle with another contract and card, as ``out/name-version``; the original stays as it is.

    Args:
        bundle: the original.
        out: made where it is missing.
        changes: field of the contract to its new value; name or version among them.
        card: the new one, Markdown.
        write_graph: writes another graph to the path it is given; None keeps the original's.
        overwrite: replace a bundle that is already there.

    Raises:
        UsageError: the place is taken, cannot be written, or the version is not made of numbers.
        ExportError: the changes do not make a contract.
    """
    name, version = changes.get("name", bundle.contract.name), changes.get("version", bundle.contract.version)
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version):
        raise UsageError(f"{version} is no version: write numbers with dots between them")
    target = out / f"{name}-{version}"
    check_place(target, overwrite)
    make_directory(out)
    with explained(target), tempfile.TemporaryDirectory(dir=out, prefix=f".{target.name}.") as workshop:
        staged = Path(workshop) / target.name
        staged.mkdir()
        shutil.copyfile(bundle.path / WEIGHTS_FILE, staged / WEIGHTS_FILE)
        (staged / CARD_FILE).write_text(card, encoding="utf-8")
        if write_graph is None:
            shutil.copyfile(bundle.graph, staged / GRAPH_FILE)
        else:
            write_graph(staged / GRAPH_FILE)
        contract = bundle.contract.model_dump() | dict(changes)
        contract["files"] = {file: sha256_of(staged / file) for file in PAYLOAD_FILES}
        try:
            checked = BundleContract.model_validate(contract)
        except ValidationError as error:
            raise ExportError(f"{target.name} was not written: {error.errors()[0]['msg']}") from error
        (staged / CONTRACT_FILE).write_text(checked.model_dump_json(indent=2) + "\n", encoding="utf-8")
        read_bundle(staged)
        publish(staged, target)
    return read_bundle(target)
