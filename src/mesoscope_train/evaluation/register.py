"""Which bundle was measured on which test part, and when: a test part is there to be looked at once.

Two registers are kept, as lines of JSON that are only ever added to: ``register.jsonl`` in the output folder, which
travels with the numbers, and ``evaluations.jsonl`` beside the user's bundles (``$MESOSCOPE_HOME``), which remembers
when another output folder is chosen. A bundle is known by the sha256 of its contract; a test part by the manifest's
digest, and by the sha256 of its rows (data set, path, label), so that a column added to the manifest makes no new
test set of it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from mesoscope.atomic import explained, make_directory
from mesoscope.bundle import user_bundle_directory
from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest

FILE = "register.jsonl"
USER_FILE = "evaluations.jsonl"


class Entry(BaseModel):
    """A bundle measured on a part of a manifest.

    Attributes:
        register_version: of this line.
        id: of the evaluation; one that was interrupted and went on keeps its own.
        date: ISO 8601, UTC.
        bundle: name-version; `bundle_sha256`: of its contract.
        manifest: its file's name; `manifest_sha256`: its digest.
        part: what was judged: ``test``, ``validation``, ``all rows`` …
        test_sha256: of the test rows among them (`rows_digest`), null where there were none.
        rows: judged.
        out: the output folder.
        again: whether ``--again`` was given.
        mesoscope: version of the program.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    register_version: Literal[1] = 1
    id: str
    date: str
    bundle: str
    bundle_sha256: str
    manifest: str
    manifest_sha256: str
    part: str
    test_sha256: str | None
    rows: int
    out: str
    again: bool = False
    mesoscope: str

    def same_test(self, other: Entry) -> bool:
        """Whether both judged the same test part."""
        if self.test_sha256 is None or other.test_sha256 is None:
            return False
        return self.test_sha256 == other.test_sha256 or self.manifest_sha256 == other.manifest_sha256


def rows_digest(manifest: Manifest) -> str | None:
    """Sha256 of the test rows (data set, path, label, in no order); None where there is none."""
    if "split" not in manifest:
        return None
    columns = [manifest.values(name) for name in ("split", "dataset", "path", "label")]
    rows = sorted("\0".join(row[1:]) for row in zip(*columns, strict=True) if row[0] == "test")
    return hashlib.sha256("\n".join(rows).encode()).hexdigest() if rows else None


def user_register() -> Path:
    """The register of this user, beside the bundles."""
    return user_bundle_directory().parent / USER_FILE


def read_register(path: Path) -> list[Entry]:
    """The entries of a register; none where there is no such file. A line that was torn by a crash is passed over.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"the register {path} cannot be read: {error.strerror}") from error
    entries = []
    for line in lines:
        try:
            entries.append(Entry.model_validate_json(line))
        except ValidationError:
            continue
    return entries


def add_to_register(path: Path, entries: Iterable[Entry]) -> None:
    """Add entries that are not there yet (of the same evaluation, bundle and manifest).

    Raises:
        UsageError: it cannot be written.
    """
    known = {_key(entry) for entry in read_register(path)}
    lines = [entry.model_dump_json() + "\n" for entry in entries if _key(entry) not in known]
    if not lines:
        return
    make_directory(path.parent)
    with explained(path), path.open("ab") as file:
        # a line of its own also behind one that was torn
        if file.tell() and not _ends_a_line(path):
            file.write(b"\n")
        file.write("".join(lines).encode())
        file.flush()
        os.fsync(file.fileno())


def earlier(entries: Iterable[Entry], wanted: Entry) -> list[Entry]:
    """Other evaluations of the same bundle on the same test part."""
    return [
        entry
        for entry in entries
        if entry.id != wanted.id and entry.bundle_sha256 == wanted.bundle_sha256 and entry.same_test(wanted)
    ]


def siblings(entries: Iterable[Entry], wanted: Entry) -> list[str]:
    """Sha256 of other bundles of the same name that were measured on the same test part: other tries, perhaps."""
    name = wanted.bundle.rpartition("-")[0]
    found = {
        entry.bundle_sha256
        for entry in entries
        if entry.bundle.rpartition("-")[0] == name
        and entry.bundle_sha256 != wanted.bundle_sha256
        and entry.same_test(wanted)
    }
    return sorted(found)


def refuse_again(found: Sequence[tuple[Entry, Entry]]) -> None:
    """Refuse to look at test parts a second time.

    Args:
        found: what is wanted, and the earlier evaluation of it.

    Raises:
        UsageError: there is one.
    """
    if not found:
        return
    told = "; ".join(
        f"{wanted.bundle} on the test part of {wanted.manifest} ({before.date[:10]}, in {before.out})"
        for wanted, before in found[:3]
    )
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise UsageError(
        f"already evaluated: {told}{more}. A test part is looked at once per bundle, or choices creep in: choose on "
        "--split validation; where it is meant, --again does it and says so on the page; "
        "--scores DIR/scores.parquet draws tables and page anew from what was scored"
    )


def _key(entry: Entry) -> tuple[str, str, str]:
    return entry.id, entry.bundle_sha256, entry.manifest_sha256


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
