"""Running an importer, and what its result is in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope.manifest import ManifestBuilder, Row
from mesoscope_train.data import importing
from mesoscope_train.data.import_summary import count, count_by, first_rows, summary
from mesoscope_train.data.importers import Importer, ImportOptions, Skips
from mesoscope_train.data.importing import Imported, import_data


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    """A registered format that yields the rows of this list and leaves one file out."""
    rows: list[Row] = []

    def give(root: Path, options: ImportOptions, skips: Skips) -> Iterator[Row]:
        yield from rows
        skips.add("it is a toy", "broken.jpg")

    importer = Importer(name="toy", title="", layout="", source="", rows=give, options=frozenset({"group"}))
    monkeypatch.setattr(importing, "importers", {"toy": importer})
    return rows


def row(path: str, label: str, **columns: object) -> Row:
    return Row.of({"path": path, "label": label, "group": f"d:{path}", "dataset": "d", **columns})


def test_rows_become_a_manifest_with_its_root_and_history(tmp_path: Path, toy: list[Row]) -> None:
    toy += [row("b.jpg", "fake"), row("a.jpg", "real")]
    steps: list[int] = []
    found = import_data("toy", tmp_path, progress=lambda: steps.append(1), history="mesoscope data import")
    assert found.manifest.values("path") == ["b.jpg", "a.jpg"]
    assert found.manifest.root == tmp_path
    assert found.manifest.history == ("mesoscope data import",)
    assert found.skips.reasons == {"it is a toy": 1}
    assert (len(steps), found.beyond_limit) == (2, 0)


def test_the_limit_is_per_label_and_what_it_cuts_is_counted(tmp_path: Path, toy: list[Row]) -> None:
    toy += [row(f"{number}.jpg", "fake" if number < 7 else "real") for number in range(10)]
    found = import_data("toy", tmp_path, limit=2)
    assert found.manifest.values("path") == ["0.jpg", "1.jpg", "7.jpg", "8.jpg"]
    assert found.beyond_limit == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "--limit must be at least 1, not 0"),
        (
            {"options": ImportOptions(labels={"x": "real"}, table=Path("t"))},
            "does not heed --label, --table; it heeds: --group",
        ),
        ({"root": "missing"}, "missing is no directory"),
    ],
)
def test_wrong_requests(tmp_path: Path, toy: list[Row], arguments: dict, message: str) -> None:
    toy.append(row("a.jpg", "real"))
    root = tmp_path / arguments.pop("root", "")
    with pytest.raises(UsageError, match=message):
        import_data("toy", root, **arguments)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown data format 'nonsense'; known: .*folders.*table"):
        import_data("nonsense", tmp_path)


def test_nothing_found_says_what_was_left_out(tmp_path: Path, toy: list[Row]) -> None:
    with pytest.raises(UsageError, match=r"could be imported as 'toy': 1 x it is a toy \(broken\.jpg\)"):
        import_data("toy", tmp_path)


def test_a_row_that_breaks_the_schema_is_named(tmp_path: Path, toy: list[Row]) -> None:
    toy += [row("a.jpg", "real"), row("../b.jpg", "real")]
    with pytest.raises(ManifestError, match=r"row 2, column 'path'"):
        import_data("toy", tmp_path)


def test_a_label_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="--label AI=synthetic: the label must be one of real, fake"):
        ImportOptions(labels={"AI": "synthetic"})


@pytest.fixture
def imported(tmp_path: Path) -> Imported:
    builder = ManifestBuilder(tmp_path)
    builder.add(row("1.jpg", "fake", split="test", group="d:a"))
    builder.add(row("2.jpg", "fake", split="train", group="d:b", frame=3))
    builder.add(row("3.jpg", "real", split="train", group="d:b"))
    builder.add(row("4.jpg", "real", group="e:c", dataset="e"))
    skips = Skips()
    for number in range(7):
        skips.add("the file is missing", f"{number}.jpg")
    skips.note("a remark")
    return Imported(builder.build(), skips, beyond_limit=2)


def test_counts(imported: Imported) -> None:
    assert count(imported.manifest).as_json() == {"rows": 4, "real": 2, "fake": 2, "groups": 3}
    splits = count_by(imported.manifest, "split")
    assert list(splits) == ["train", "test", "none"]
    assert splits["train"].as_json() == {"rows": 2, "real": 1, "fake": 1, "groups": 1}
    assert splits["none"].as_json() == {"rows": 1, "real": 1, "fake": 0, "groups": 1}
    assert {name: part.rows for name, part in count_by(imported.manifest, "dataset").items()} == {"d": 3, "e": 1}
    assert list(count_by(imported.manifest, "generator")) == ["none"]


def test_the_summary_has_every_number(imported: Imported) -> None:
    found = summary(imported)
    assert (found["rows"], found["real"], found["fake"], found["groups"], found["beyond_limit"]) == (4, 2, 2, 3, 2)
    assert found["splits"]["test"] == {"rows": 1, "real": 0, "fake": 1, "groups": 1}
    assert found["columns"] == ["path", "label", "group", "dataset", "split", "frame"]
    assert found["skipped"] == [
        {"reason": "the file is missing", "count": 7, "examples": [f"{number}.jpg" for number in range(5)]}
    ]
    assert found["notes"] == ["a remark"]


def test_first_rows_show_what_is_filled(imported: Imported) -> None:
    assert first_rows(imported.manifest, 2) == [
        {"path": "1.jpg", "label": "fake", "group": "d:a", "dataset": "d", "split": "test"},
        {"path": "2.jpg", "label": "fake", "group": "d:b", "dataset": "d", "split": "train", "frame": 3},
    ]
    assert len(first_rows(imported.manifest, 99)) == 4
