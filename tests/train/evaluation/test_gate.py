"""Before a bundle is judged: what it was trained on, by digest, by pictures, by name, or not known at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mesoscope.bundle import TrainingData, load_bundle
from mesoscope.errors import UsageError
from mesoscope.manifest import read_manifest
from mesoscope_train.data.audit.measures import measure
from mesoscope_train.errors import LeakError
from mesoscope_train.evaluation.gate import (
    Judged,
    audit_cautions,
    check,
    check_kinds,
    compared_by_name,
    read_training,
    trainings_of,
)
from mesoscope_train.evaluation.inputs import select


@pytest.fixture
def trained_on():
    """Function from (set, digest or None) pairs to a bundle that states them."""
    bundle = load_bundle("mesoscope-face")

    def make(*stated: tuple[str, str | None], tuned_on: str | None = None):
        data = [
            TrainingData(name=name, terms="none", n_real=1, n_fake=1, manifest_sha256=digest)
            for name, digest in stated
        ]
        thresholds = bundle.contract.thresholds.model_copy(update={"manifest_sha256": tuned_on})
        changes = {"training_data": data, "thresholds": thresholds}
        return replace(bundle, contract=bundle.contract.model_copy(update=changes))

    return make


@pytest.fixture
def judged(written):
    """Function from rows, a split and a name to what is judged."""

    def make(rows, split=None, name="m", root=None):
        path = written(rows, name, root)
        whole = read_manifest(path)
        return Judged(name, path, whole, whole.digest(), select(whole, split, name)[0])

    return make


@pytest.fixture
def measures(tmp_path):
    def measured(rows, path: Path):
        return measure(rows, tmp_path / "cache.parquet", workers=0)

    return measured


def codes(cautions) -> list[str]:
    return [caution.code for caution in cautions]


@pytest.mark.parametrize("split", ["train", "validation", "all"])
def test_its_own_rows_are_refused_by_the_digest_of_the_manifest(judged, rows, trained_on, split) -> None:
    rows_judged = judged(rows, split)
    bundle = trained_on(("elsewhere", "0" * 64), ("set", rows_judged.digest))
    with pytest.raises(LeakError, match=r"trained or tuned on this very manifest.*--allow-leak trained-on"):
        check("b-1", bundle, rows_judged, [])
    allowed = check("b-1", bundle, rows_judged, [], allow=["trained-on"])
    assert codes(allowed) == ["trained-on"]
    assert (allowed[0].bundle, allowed[0].manifest) == ("b-1", "m")
    assert {"train": "8 of the 8", "validation": "8 of the 8", "all": "16 of the 24"}[split] in allowed[0].message


def test_a_manifest_without_a_split_was_trained_on_as_a_whole(judged, rows, trained_on) -> None:
    whole = judged([replace(row, split=None) for row in rows])
    with pytest.raises(LeakError, match="24 of the 24 rows"):
        check("b-1", trained_on(("set", whole.digest)), whole, [])


def test_what_its_thresholds_were_chosen_on_is_its_own_too(judged, rows, trained_on) -> None:
    validation = judged(rows, "validation")
    with pytest.raises(LeakError, match="trained or tuned on this very manifest"):
        check("b-1", trained_on(("elsewhere", "0" * 64), tuned_on=validation.digest), validation, [])


def test_its_own_test_part_passes_and_says_so(judged, rows, trained_on, measures) -> None:
    test = judged(rows, "test")
    cautions = check("b-1", trained_on(("set", test.digest)), test, [], measures=measures)
    assert codes(cautions) == ["trained-on-set"]
    assert "other groups of the same set (set)" in cautions[0].message


def test_a_group_torn_apart_by_its_own_split_is_found(judged, rows, trained_on) -> None:
    torn = [replace(row, group="set:one") if row.path in ("real/0.png", "real/9.png") else row for row in rows]
    test = judged(torn, "test")
    with pytest.raises(LeakError, match=r"1 group stands.*--allow-leak group"):
        check("b-1", trained_on(("set", test.digest)), test, [])


def test_pictures_are_found_again_under_other_names(judged, rows, trained_on, measures, pictures) -> None:
    """Another manifest, other groups, another set: only the pixels say it."""
    training = judged(rows, name="training")
    copies = [
        replace(row, group=f"other:{row.path}", dataset="other", split=None) for row in rows if row.split == "train"
    ]
    own, given = trained_on(("set", training.digest)), [read_training(training.path)]
    other = judged(copies, name="other")
    with pytest.raises(LeakError, match=r"b-1 was trained on what other.*duplicate: 8 pictures are"):
        check("b-1", own, other, given, measures=measures)
    allowed = check("b-1", own, other, given, allow=["duplicate"], measures=measures)
    assert codes(allowed) == ["trained-on"] and "8 pictures" in allowed[0].message
    # the same rows without their pictures: names say nothing
    assert check("b-1", own, other, given) == []
    # and the test part, which it was not trained on
    unseen = [replace(row, group=f"third:{row.path}", dataset="third") for row in rows if row.split == "test"]
    assert check("b-1", own, judged(unseen, name="third"), given, measures=measures) == []


def test_without_its_manifest_the_names_are_all_there_is(judged, rows, trained_on) -> None:
    test = judged(rows, "test")
    assert codes(check("b-1", trained_on(), test, [])) == ["training-unknown"]
    for name in ("set", "Set", "set-faces", "SET (published), training part"):
        assert codes(check("b-1", trained_on((name, None)), test, [])) == ["trained-on-set"], name
    assert codes(check("b-1", trained_on(("settings", None)), test, [])) == ["training-unknown"]
    assert codes(check("b-1", trained_on(("other", "0" * 64)), test, [])) == []
    told = compared_by_name(["a-1", "b-1", "c-1"], [trained_on(("other", "0" * 64))] * 2 + [trained_on()], [0, 1, 0])
    assert [(one.code, one.bundle) for one in told] == [("training-by-name", "a-1")]


def test_a_training_manifest_belongs_to_those_that_state_it(written, rows, trained_on) -> None:
    training = read_training(written(rows))
    assert len(training.learned) == 16
    stating, silent, other = (
        trained_on(("set", training.digest)),
        trained_on(("set", None)),
        trained_on(("x", "0" * 64)),
    )
    assert trainings_of([stating, silent], [training]) == [[training], []]
    assert trainings_of([silent, other], [training]) == [[training], []]
    with pytest.raises(UsageError, match="not what any of these bundles was trained on; they state 000000000000…"):
        trainings_of([other], [training])


def test_a_runs_folder_stands_for_its_manifest(written, rows, tmp_path) -> None:
    path = written(rows, "manifest")
    assert read_training(tmp_path).digest == read_training(path).digest
    folds = [replace(row, split=None, extra={}, fold=None if row.split == "test" else 1) for row in rows]
    assert len(read_training(written(folds, "folds")).learned) == 16


def test_kinds_are_checked() -> None:
    check_kinds(["trained-on", "near-duplicate"])
    with pytest.raises(UsageError, match=r"--allow-leak copies: there is no such leak; there are trained-on, group"):
        check_kinds(["copies"])


def test_warnings_of_the_audit_beside_it_follow(judged, rows) -> None:
    from mesoscope_train.data.audit.findings import Audit, Finding

    mine = judged(rows)
    assert audit_cautions(mine) == []
    audit = Audit(
        manifest=mine.digest,
        rows=24,
        readable=24,
        counts={},
        groups=12,
        findings=(Finding("shortcut", "warning", "size alone tells the label", 24), Finding("x", "note", "y", 1)),
        shortcuts=(),
        bound=0.7,
        unreadable=(),
    )
    audit.write(mine.path.with_name("m.audit.json"))
    assert [(one.code, one.message) for one in audit_cautions(mine)] == [
        ("audit", "the audit of m warns: size alone tells the label")
    ]
    assert audit_cautions(judged(rows[:-1])) == []  # the audit is of another manifest
