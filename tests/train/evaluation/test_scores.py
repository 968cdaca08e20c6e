"""``scores.parquet``: what goes in comes out, and what breaks its promise is refused."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.metrics_schema import Caution, TierFacts
from mesoscope_train.evaluation.scores import (
    KEY,
    Scores,
    ScoresFacts,
    read_scores,
    score_rows,
    score_schema,
    write_scores,
)

FACTS = ScoresFacts(
    mesoscope="1",
    command="mesoscope evaluate",
    date="2026-01-01T00:00:00+00:00",
    tiers=[TierFacts(name="clean")],
    cautions=[Caution(code="again", message="seen before", bundle="b-1", manifest="m")],
)
LEAD = {"bundle": "b-1", "bundle_sha256": "0", "manifest": "m", "manifest_sha256": "1", "tier": "clean"}


def columns(**changes):
    return {
        "width": [3, None],
        "height": [4, None],
        "brightness": [12.5, None],
        "outcome": ["fake", "error"],
        "probability": [0.75, None],
        "logit": [1.1, None],
        "reason": [None, "it is damaged"],
        "threshold": [0.5, 0.5],
        "lower": [0.5, 0.5],
        "calibrated": [False, False],
        **changes,
    }


@pytest.fixture
def rows():
    return pa.table({"path": ["a.png", "b.png"], "label": ["fake", "real"], "width": [7, 8], "sex": ["f", None]})


@pytest.fixture
def scores(rows):
    schema = score_schema([rows.schema])
    return Scores(score_rows(schema, rows, LEAD, columns()), FACTS)


def test_what_is_written_is_read_again(scores, tmp_path) -> None:
    write_scores(scores, tmp_path / "s.parquet")
    read = read_scores(tmp_path / "s.parquet")
    assert read.table.to_pylist() == scores.table.to_pylist()
    assert read.facts == FACTS
    assert read.table.to_pylist()[0] == {
        **LEAD,
        "path": "a.png",
        "label": "fake",
        "manifest_width": 7,  # the manifest's own column of that name
        "sex": "f",
        **{name: values[0] for name, values in columns().items()},
    }


def test_the_digest_is_of_the_rows_and_not_of_the_file(scores, tmp_path) -> None:
    write_scores(scores, tmp_path / "s.parquet")
    parquet.write_table(
        read_scores(tmp_path / "s.parquet").table.replace_schema_metadata({KEY: FACTS.model_dump_json()}),
        tmp_path / "t.parquet",
        compression="none",
        row_group_size=1,
    )
    digests = {read_scores(tmp_path / name).digest() for name in ("s.parquet", "t.parquet")}
    assert digests == {scores.digest()}
    turned = Scores(scores.table.take([1, 0]), FACTS)
    assert turned.digest() != scores.digest()


def test_manifests_with_different_columns_share_a_schema() -> None:
    one = pa.schema([("path", pa.string()), ("label", pa.string()), ("age", pa.int64()), ("mark", pa.int64())])
    two = pa.schema([("path", pa.string()), ("label", pa.string()), ("age", pa.float64()), ("mark", pa.string())])
    schema = score_schema([one, two])
    assert schema.field("age").type == pa.float64()
    assert schema.field("mark").type == pa.string()
    table = score_rows(
        schema,
        pa.table({"path": ["a"], "label": ["real"], "mark": [5]}),
        LEAD,
        {k: v[:1] for k, v in columns().items()},
    )
    assert (table["mark"].to_pylist(), table["age"].to_pylist()) == (["5"], [None])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"outcome": ["fake", "maybe"]}, "an outcome that is none of"),
        ({"outcome": ["fake", None]}, "an outcome that is none of"),
        ({"probability": [0.75, 0.5]}, "a probability for a failure"),
        ({"logit": [None, None]}, "a logit for a failure, or an answer without one"),
        ({"logit": [float("nan"), None]}, "a logit that is not finite"),
        ({"probability": [float("inf"), None]}, "a probability that is not finite"),
    ],
)
def test_scores_that_break_the_promise_are_refused(rows, tmp_path, changes, message) -> None:
    table = score_rows(score_schema([rows.schema]), rows, LEAD, columns(**changes))
    write_scores(Scores(table, FACTS), tmp_path / "s.parquet")
    with pytest.raises(UsageError, match=message):
        read_scores(tmp_path / "s.parquet")


def test_files_that_are_no_scores_are_refused(scores, tmp_path) -> None:
    path = tmp_path / "s.parquet"
    with pytest.raises(UsageError, match="there is no file"):
        read_scores(path)
    path.write_bytes(b"nothing")
    with pytest.raises(UsageError, match="cannot be read as Parquet"):
        read_scores(path)
    parquet.write_table(scores.table, path)
    with pytest.raises(UsageError, match="does not say how they were made"):
        read_scores(path)
    for facts in ("{", json.dumps({"schema_version": 2}), FACTS.model_dump_json().replace('"tiers"', '"tires"')):
        parquet.write_table(scores.table.replace_schema_metadata({KEY: facts}), path)
        with pytest.raises(UsageError, match="what it says of itself cannot be read"):
            read_scores(path)


@pytest.mark.parametrize("name", ["label", "logit", "tier"])
def test_a_missing_or_wrong_column_is_named(scores, tmp_path, name) -> None:
    path = tmp_path / "s.parquet"
    write_scores(Scores(scores.table.drop_columns([name]), FACTS), path)
    with pytest.raises(UsageError, match=f"no column '{name}'"):
        read_scores(path)
    wrong = scores.table.drop_columns([name]).append_column(name, pa.array([1, 2], pa.int8()))
    write_scores(Scores(wrong, FACTS), path)
    with pytest.raises(UsageError, match=f"the column '{name}' holds int8"):
        read_scores(path)


def test_a_half_written_file_is_never_left(scores, tmp_path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_scores(scores, tmp_path / "nowhere" / "s.parquet")
    assert not list(tmp_path.iterdir())
