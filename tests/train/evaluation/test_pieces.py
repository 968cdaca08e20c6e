"""Pieces: what is finished is kept, what is torn is not taken for finished, and nothing is mixed."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.metrics_schema import TierFacts
from mesoscope_train.evaluation.pieces import FOLDER, Pieces, evaluation_in
from mesoscope_train.evaluation.scores import ScoresFacts, read_scores, score_rows, score_schema

SETTINGS = {"bundles": {"b-1": "0"}, "tiers": ["clean"]}
FACTS = ScoresFacts(mesoscope="1", command="c", date="d", tiers=[TierFacts(name="clean")])


@pytest.fixture
def piece():
    rows = pa.table({"path": ["a.png"], "label": ["real"]})
    schema = score_schema([rows.schema])
    lead = {"bundle": "b-1", "bundle_sha256": "0", "manifest": "m", "manifest_sha256": "1", "tier": "clean"}
    columns = {
        "width": [1], "height": [1], "brightness": [1.0], "outcome": ["real"], "probability": [0.1], "logit": [-2.0],
        "reason": [None], "threshold": [0.5], "lower": [0.5], "calibrated": [True],
    }  # fmt: skip
    return score_rows(schema, rows, lead, columns)


def test_what_is_finished_is_found_again(tmp_path, piece) -> None:
    assert evaluation_in(tmp_path) is None
    with Pieces(tmp_path, SETTINGS, "first") as pieces:
        pieces.add("000-0", piece)
        began = pieces.evaluation
    with Pieces(tmp_path, SETTINGS, "second") as pieces:
        assert pieces.evaluation == began == evaluation_in(tmp_path)
        assert (pieces.has("000-0"), pieces.has("000-1"), pieces.scored) == (True, False, False)
        pieces.add("000-1", piece)
        pieces.assemble(iter(["000-0", "000-1"]), piece.schema, FACTS)
        assert not pieces.scored  # its numbers were not shown
        pieces.finish()
        assert pieces.scored
    scores = read_scores(tmp_path / "scores.parquet")
    assert scores.table.to_pylist() == piece.to_pylist() * 2
    assert not list((tmp_path / FOLDER).glob("*.parquet"))
    (tmp_path / "scores.parquet").unlink()
    with Pieces(tmp_path, SETTINGS, "third") as pieces:
        assert not pieces.scored


def test_a_piece_is_there_whole_or_not_at_all(tmp_path, piece, monkeypatch) -> None:
    from mesoscope_train.evaluation import pieces as module

    def killed(table, path, **options):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with Pieces(tmp_path, SETTINGS, "c") as pieces:
        monkeypatch.setattr(module.parquet, "write_table", killed)
        with pytest.raises(KeyboardInterrupt):
            pieces.add("000-0", piece)
        assert not pieces.has("000-0")
        (tmp_path / FOLDER / "000-1.parquet").write_bytes(b"")  # as a power cut leaves it
        assert not pieces.has("000-1")
    assert [path.name for path in (tmp_path / FOLDER).iterdir() if path.suffix == ".parquet"] == ["000-1.parquet"]


def test_anew_begins_from_nothing(tmp_path, piece) -> None:
    with Pieces(tmp_path, SETTINGS, "c") as pieces:
        pieces.add("000-0", piece)
        before = pieces.evaluation.id
    with Pieces(tmp_path, SETTINGS, "c", anew=True) as pieces:
        assert not pieces.has("000-0")
        assert pieces.evaluation.id != before


def test_other_settings_are_refused_by_name(tmp_path) -> None:
    with Pieces(tmp_path, SETTINGS, "c"):
        pass
    for anew in (False, True):
        with pytest.raises(UsageError, match=r"holds another evaluation \(other tiers, other max_fpr\)"):
            Pieces(tmp_path, {**SETTINGS, "tiers": ["clean", "web"], "max_fpr": 0.01}, "c", anew=anew)


def test_a_folder_is_held_by_one_at_a_time(tmp_path) -> None:
    with Pieces(tmp_path, SETTINGS, "c"), pytest.raises(UsageError, match="another evaluation is writing into"):
        Pieces(tmp_path, SETTINGS, "c")
    with Pieces(tmp_path, SETTINGS, "c"):
        pass


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("{}", "cannot be read"),
        (json.dumps({"mesoscope_evaluation": 1, "id": "x"}), "cannot be read"),
        (json.dumps({"mesoscope_evaluation": 2}), "another version of mesoscope"),
    ],
)
def test_a_folder_that_cannot_be_understood_is_refused(tmp_path, content, message) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "evaluation.json").write_text(content)
    with pytest.raises(UsageError, match=message):
        Pieces(tmp_path, SETTINGS, "c")


def test_a_folder_that_cannot_be_written_is_told(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        Pieces(tmp_path / "file", SETTINGS, "c")
