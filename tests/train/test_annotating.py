"""Adding to a bundle's card and limits: nothing else changes, and what cannot be added is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mesoscope.bundle import PAYLOAD_FILES, read_bundle
from mesoscope.cli import application
from mesoscope.errors import UsageError
from mesoscope_train.annotating import annotate

LIMIT = "It was never shown a painting."


@pytest.fixture
def bundle(bundle_copy):
    return read_bundle(bundle_copy)


def section(tmp_path: Path, text: str = "## Evaluated\n\nAUC 0.9 on somebody's pictures.\n") -> Path:
    path = tmp_path / "section.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_card_and_limits_say_more_and_all_else_is_the_same(bundle, tmp_path):
    made = annotate(bundle, tmp_path / "out", sections=[section(tmp_path)], limits=[LIMIT])
    assert made.path == tmp_path / "out" / bundle.contract.identifier
    assert made.contract.limits == [LIMIT, *bundle.contract.limits]
    assert "\n\n## Evaluated\n\nAUC 0.9 on somebody's pictures.\n" in made.card
    assert f"Added to the bundle with the contract `{bundle.sha256}`" in made.card
    listed = made.card.split("## Limits", 1)[1]
    assert listed.index(LIMIT) < listed.index(bundle.contract.limits[0])
    before, after = (one.contract.model_dump() for one in (bundle, made))
    assert {name for name in before if before[name] != after[name]} == {"limits", "files"}
    assert {name for name in PAYLOAD_FILES if before["files"][name] != after["files"][name]} == {"card.md"}


def test_what_was_measured_stands_before_how_it_was_made(bundle, tmp_path):
    made = annotate(bundle, tmp_path / "out", sections=[section(tmp_path)])
    headings = [line for line in made.card.splitlines() if line.startswith("## ")]
    assert headings.index("## Evaluated") == headings.index("## How it was made") - 1
    (bundle.path / "card.md").write_text("# A card\n", encoding="utf-8")
    plain = annotate(bundle, tmp_path / "end", sections=[section(tmp_path)])
    assert plain.card.startswith("# A card\n\n## Evaluated\n")


def test_a_card_without_limits_gets_them(bundle, tmp_path):
    (bundle.path / "card.md").write_text("# A card\n", encoding="utf-8")  # read before, so no hash is checked again
    assert annotate(bundle, tmp_path / "out", limits=[LIMIT]).card == f"# A card\n\n## Limits\n\n* {LIMIT}\n"


def test_where_it_lies_it_is_replaced_only_on_demand(bundle, tmp_path):
    with pytest.raises(UsageError, match="is already there"):
        annotate(bundle, bundle.path.parent, limits=[LIMIT])
    made = annotate(bundle, bundle.path.parent, limits=[LIMIT], overwrite=True)
    assert (made.path, made.contract.limits[0]) == (bundle.path, LIMIT)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "nothing to add"),
        ({"limits": [" "]}, "empty"),
        ({"sections": [Path("nowhere.md")]}, "nowhere.md cannot be read"),
    ],
)
def test_what_cannot_be_added(bundle, tmp_path, more, message):
    with pytest.raises(UsageError, match=message):
        annotate(bundle, tmp_path / "out", **more)
    assert not (tmp_path / "out").exists()


def test_what_is_there_already_or_is_no_text(bundle, tmp_path):
    with pytest.raises(UsageError, match="in the bundle already"):
        annotate(bundle, tmp_path / "out", limits=[bundle.contract.limits[0]])
    with pytest.raises(UsageError, match="says this already"):
        annotate(bundle, tmp_path / "out", sections=[section(tmp_path, bundle.card[:80])])
    with pytest.raises(UsageError, match="is empty"):
        annotate(bundle, tmp_path / "out", sections=[section(tmp_path, " \n")])
    (tmp_path / "section.md").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="is no text"):
        annotate(bundle, tmp_path / "out", sections=[tmp_path / "section.md"])


def test_the_command(bundle, tmp_path):
    arguments = ["bundle", "annotate", str(bundle.path), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(application(), [*arguments, "--card", str(section(tmp_path)), "--limit", LIMIT])
    assert done.exit_code == 0, done.output
    assert read_bundle(Path(done.stdout.strip())).contract.limits[0] == LIMIT
    assert CliRunner().invoke(application(), arguments).exit_code == 2
