"""What the documentation lists is what the code has."""

import re
from pathlib import Path
from typing import get_args

from mesoscope.bundle import BundleContract
from mesoscope.types import FaceResult, FileResult, FrameResult, TrackResult, WarningCode

ROOT = Path(__file__).parent.parent


def listed(page: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "docs" / page).read_text()))


def test_every_field_of_the_results_is_documented() -> None:
    fields = {name for model in (FileResult, FaceResult, TrackResult, FrameResult) for name in model.model_fields}
    assert fields <= listed("results-json.md")


def test_every_warning_code_is_documented() -> None:
    assert set(get_args(WarningCode)) <= listed("results-json.md")


def test_every_field_of_the_contract_is_documented() -> None:
    assert set(BundleContract.model_fields) <= listed("bundle.md")


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readmes_table_is_the_cards() -> None:
    card = (ROOT / "src/mesoscope/bundles/mesoscope-face-2/card.md").read_text()
    rows = [
        line
        for line in (ROOT / "README.md").read_text().splitlines()
        if re.match(r"\| [a-z0-9-]+ \(`[0-9a-f]{12}`\) \| ", line)
    ]
    assert len(rows) == 8
    assert all(row in card for row in rows)
