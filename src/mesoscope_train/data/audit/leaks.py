"""What stands on both sides of a split, or in two folds, or in two manifests: groups, people, pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural
from mesoscope_train.data.audit.duplicates import Duplicates
from mesoscope_train.data.audit.findings import Finding
from mesoscope_train.data.audit.near_pairs import Indices
from mesoscope_train.data.audit.sides import SHOWN, Sides, breakdown, named, one_row_each, scattered

_WORDS = {
    "group": (
        "group stands",
        "groups stand",
        "what belongs together was torn apart; 'mesoscope data split' keeps groups whole",
    ),
    "identity": ("person stands", "people stand", "a detector may know them again by their faces"),
    "duplicate": ("picture is", "pictures are", "identical pixel for pixel"),
}


def leaks(manifest: Manifest, duplicates: Duplicates | None, sides: Sides) -> Iterator[Finding]:
    """What crosses these sides.

    Args:
        manifest: N rows.
        duplicates: of these rows; None where the pictures could not be looked at.
        sides: of these rows.
    """
    found = [_crossing("group", manifest, manifest.codes("group")[0], sides)]
    if "identity" in manifest:
        found.append(_crossing("identity", manifest, people(manifest)[0], sides))
    if duplicates:
        found += [_crossing("duplicate", manifest, duplicates.identical, sides), _near(manifest, duplicates, sides)]
    found.append(_sources(manifest, sides))
    yield from (finding for finding in found if finding)


def people(manifest: Manifest) -> tuple[Indices, Indices]:
    """Who is seen, and whose face was put in, as codes of one numbering; -1 where unknown. Two (N,) int64.

    A name is one person's inside a corpus only (the group's prefix): `id0` of one set is not `id0` of another. Groups
    without a prefix, as tables made by hand have them, are one corpus.
    """
    groups, names = manifest.codes("group")
    corpora_named = [name.partition(":")[0] if ":" in name else "" for name in names]
    _, corpus_of = np.unique(corpora_named, return_inverse=True)
    corpora = corpus_of.astype(np.int64)[groups]
    numbers: dict[str, int] = {}
    roles = []
    for column in ("identity", "source_identity"):
        codes = np.full(len(manifest), -1, np.int64)
        if column in manifest:
            local, values = manifest.codes(column)
            table = np.array([numbers.setdefault(value, len(numbers)) for value in values] + [-1], np.int64)
            codes = table[local]
        roles.append(codes)
    width = max(len(numbers), 1)
    seen, put_in = (np.where(codes >= 0, corpora * width + codes, -1) for codes in roles)
    return seen, put_in


def _crossing(kind: str, manifest: Manifest, values: Indices, sides: Sides) -> Finding | None:
    """A leak of `kind`: values of a column (or sets of identical pictures) that stand on several sides."""
    value, side = scattered(values, sides)
    wanted = np.unique(value)
    if wanted.size == 0:
        return None
    one, many, why = _WORDS[kind]
    message = f"{plural(wanted.size, one, many)} {sides.across}{breakdown(sides, value, side)}: {why}"
    examples = []
    for rows in one_row_each(values, sides, wanted[:SHOWN].tolist()):
        paths = _paths(manifest, rows)
        examples.append(paths if kind == "duplicate" else (_value(manifest, kind, rows[0]), *paths))
    return Finding(kind, "leak", message, int(wanted.size), tuple(examples))


def _near(manifest: Manifest, duplicates: Duplicates, sides: Sides) -> Finding | None:
    """Pairs of alike pictures whose pictures stand on different sides."""
    pairs = duplicates.near.rows
    placed = sides.codes[pairs]
    crossing = (placed >= 0).all(axis=1) & (placed[:, 0] != placed[:, 1])
    if not crossing.any():
        return None
    between = Counter(map(tuple, np.sort(placed[crossing], axis=1).tolist()))
    count = int(crossing.sum())
    message = (
        f"{plural(count, 'pair', 'pairs')} of pictures of different groups look alike and stand "
        f"{sides.across}{named(sides, between)}: copies that were saved anew, resized or mirrored, or the same scene"
    )
    return Finding("near-duplicate", "leak", message, count, alike_examples(manifest, duplicates, crossing))


def alike_examples(
    manifest: Manifest, duplicates: Duplicates, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> tuple[tuple[str, ...], ...]:
    """Examples of near duplicates, the most alike first, no picture twice.

    Args:
        manifest: for the paths.
        duplicates: with P pairs.
        wanted: (P,) bool.
    """
    order = np.flatnonzero(wanted)
    order = order[np.argsort(duplicates.near.distance[order], kind="stable")]
    shown: list[tuple[str, ...]] = []
    used: set[int] = set()
    for pair in duplicates.near.rows[order].tolist():
        if used.isdisjoint(pair):
            shown.append(_paths(manifest, pair))
            used.update(pair)
        if len(shown) == SHOWN:
            break
    return tuple(shown)


def _sources(manifest: Manifest, sides: Sides) -> Finding | None:
    """People whose face was put into a fake on one side, and who are seen on another, in either role."""
    if "source_identity" not in manifest:
        return None
    seen, put_in = people(manifest)
    both = Sides(sides.what, sides.names, np.concatenate([sides.codes, sides.codes]))
    value, side = scattered(np.concatenate([seen, put_in]), both)
    kept = np.isin(value, put_in[put_in >= 0])
    value, side = value[kept], side[kept]
    wanted = np.unique(value)
    if wanted.size == 0:
        return None
    one, many = "person whose face was put into fakes is", "people whose faces were put into fakes are"
    message = f"{plural(wanted.size, one, many)} seen {sides.across}{breakdown(sides, value, side)}"
    names = []
    for person in wanted[:SHOWN].tolist():
        row = int(np.flatnonzero(put_in == person)[0])
        names.append((_value(manifest, "source_identity", row),))
    return Finding("source-identity", "note", message, int(wanted.size), tuple(names))


def _paths(manifest: Manifest, rows: list[int]) -> tuple[str, ...]:
    return tuple(_value(manifest, "path", row) for row in rows)


def _value(manifest: Manifest, column: str, row: int) -> str:
    return str(manifest.table.column(column)[row].as_py())
