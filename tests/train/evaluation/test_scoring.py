"""Scoring: what ``detect`` answers, decoded once, whatever is wrong with a row; engines by hand where it matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mesoscope.api import Detector
from mesoscope.bundle import load_bundle
from mesoscope.calibrate import verdict_for
from mesoscope.engine import Judge
from mesoscope.faces import open_finder
from mesoscope.manifest import Row, read_manifest
from mesoscope.pipeline.answers import Asked
from mesoscope.pipeline.videos import Sampling
from mesoscope.types import Box, FoundFace
from mesoscope_train.evaluation import scoring
from mesoscope_train.evaluation.scores import score_schema
from mesoscope_train.evaluation.scoring import NOT_DEGRADED, Opened, Part, Scorer
from mesoscope_train.evaluation.tiers import chosen_tiers


@pytest.fixture(scope="module")
def bundle():
    return load_bundle("mesoscope-face")


@pytest.fixture
def by_hand(bundle):
    """Function to a bundle whose logit is ten times the mean of its input; changes go into its contract."""

    def make(name="hand-1", session=None, **changes) -> Opened:
        def mean(batch):
            return [10 * batch.mean(axis=(1, 2, 3)), np.zeros((len(batch), 1, 1), np.float32)]

        mine = replace(bundle, contract=bundle.contract.model_copy(update=changes))
        return Opened(name, Judge(mine, session or mean), Asked(mine, verdict_for(mine.contract)))

    return make


def score(scorer, manifest, finder=None, name="m"):
    part = Part(name, manifest, manifest.digest(), finder)
    return scorer.score(part, 0, len(manifest), score_schema([manifest.table.schema])).to_pylist()


def test_scores_are_what_detect_answers(bundle, manifest) -> None:
    detector = Detector.load("mesoscope-face", faces="none")
    opened = Opened("face-1", Judge.open(bundle), Asked(bundle, verdict_for(bundle.contract)))
    rows = score(Scorer([opened], chosen_tiers()), manifest)
    answers = [detector.detect(manifest.file(path)) for path in manifest.values("path")]
    assert [row["path"] for row in rows] == manifest.values("path")
    assert [row["outcome"] for row in rows] == [answer.outcome.value for answer in answers]
    np.testing.assert_allclose(
        [row["logit"] for row in rows], [answer.logit for answer in answers], rtol=0, atol=1e-4
    )
    np.testing.assert_allclose(
        [row["probability"] for row in rows], [answer.probability for answer in answers], rtol=0, atol=1e-4
    )
    assert [(row["width"], row["height"]) for row in rows] == [(answer.width, answer.height) for answer in answers]
    assert {(row["threshold"], row["lower"], row["calibrated"]) for row in rows} == {
        (bundle.contract.thresholds.default, bundle.contract.band.lower, True)
    }
    pixels = np.asarray(Image.open(manifest.file("real/0.png")).convert("RGB"))
    assert rows[0]["brightness"] == pytest.approx((pixels @ [0.299, 0.587, 0.114]).mean(), abs=0.6)


def test_each_picture_is_decoded_once_for_all_tiers_and_bundles(by_hand, manifest, monkeypatch) -> None:
    opened = []
    open_media = scoring.open_media
    monkeypatch.setattr(scoring, "open_media", lambda path, limits: opened.append(path) or open_media(path, limits))
    tiers = chosen_tiers(["web", "messenger"], ["blur"])
    spec = by_hand().spec.model_copy(update={"size": 32})
    rows = score(Scorer([by_hand("a-1"), by_hand("b-1"), by_hand("c-1", preprocess=spec)], tiers), manifest)
    assert sorted(opened) == sorted(manifest.file(path) for path in manifest.values("path"))
    assert len(rows) == len(manifest) * len(tiers) * 3
    logits = {(row["bundle"], row["tier"], row["path"]): row["logit"] for row in rows}
    assert len(logits) == len(rows)
    assert all(logits["a-1", tier, path] == logits["b-1", tier, path] for _, tier, path in logits)
    assert any(logits["a-1", "clean", path] != logits["a-1", "web", path] for _, _, path in logits)


def test_a_tier_is_judged_by_what_it_made_of_the_picture(by_hand, manifest) -> None:
    from mesoscope.preprocess import to_input

    opened, path = by_hand(), "fake/3.png"
    pixels = np.asarray(Image.open(manifest.file(path)).convert("RGB"))
    for tier in chosen_tiers(["hard"], ["noise", "scale"]):
        changed = tier.change(pixels, path)
        (row,) = [row for row in score(Scorer([opened], [tier]), manifest.take([15])) if row["path"] == path]
        if min(changed.shape[:2]) < opened.spec.min_face:
            assert (row["outcome"], row["logit"]) == ("not_applicable", None)
            assert "picture too small" in row["reason"]
        else:
            assert row["logit"] == pytest.approx(10 * to_input(changed, opened.spec).mean(), abs=1e-4), tier.name
        assert (row["width"], row["height"]) == (70, 70)  # of the picture as it lies on disk


def test_rows_that_fail_end_as_errors_and_the_others_go_on(by_hand, written, rows) -> None:
    bad = [Row(path=path, label="real", group=path, dataset="set") for path in ("broken.png", "missing.png", "real")]
    manifest = read_manifest(written([rows[0], *bad, rows[13]]))
    found = score(Scorer([by_hand()], chosen_tiers(["web"])), manifest)
    assert [row["outcome"] == "error" for row in found] == [False, True, True, True, False] * 2
    for row in found:
        if row["outcome"] == "error":
            assert (row["probability"], row["logit"], row["width"], row["brightness"]) == (None,) * 4
            assert len(row["reason"]) > 20 and "defect" not in row["reason"]


def test_a_number_that_is_none_costs_only_its_own_row(by_hand, manifest) -> None:
    """The network gives NaN for dark pictures: those end as errors, also where it stands amid a batch."""

    def session(batch):
        means = batch.mean(axis=(1, 2, 3))
        means[means < np.float32(limit)] = np.nan
        return [means, np.zeros((len(batch), 1, 1), np.float32)]

    limit = -np.inf
    clean = score(Scorer([by_hand(session=session)], chosen_tiers()), manifest)
    limit = float(np.median([row["logit"] for row in clean]))
    found = score(Scorer([by_hand(session=session)], chosen_tiers()), manifest)
    assert [row["outcome"] == "error" for row in found] == [row["logit"] < limit for row in clean]
    assert {row["reason"] for row in found if row["outcome"] == "error"} == {
        f"bundle {by_hand().asked.bundle.contract.identifier}: the graph gave a value that is not finite"
    }
    assert [row["logit"] for row in found if row["logit"]] == [r["logit"] for r in clean if r["logit"] >= limit]


def test_a_defect_of_ours_is_an_error_with_its_name(by_hand, manifest, monkeypatch) -> None:
    def fail(pixels):
        raise ZeroDivisionError("by hand")

    monkeypatch.setattr(scoring, "brightness_of", fail)
    (row,) = score(Scorer([by_hand()], chosen_tiers()), manifest.take([0]))
    assert row["outcome"] == "error" and "ZeroDivisionError: by hand" in row["reason"]


def test_faces_are_looked_for_once_a_tier_in_what_the_tier_made(by_hand, manifest) -> None:
    seen = []

    def finder(pixels):
        seen.append(pixels.shape)
        height, width = pixels.shape[:2]
        return [FoundFace(Box(0, 0, width / 2, height)), FoundFace(Box(0, 0, width, height))]

    small = by_hand().spec.model_copy(update={"size": 32, "min_face": 20})
    large = small.model_copy(update={"size": 48})
    bundles = [
        by_hand("a-1", preprocess=small),
        by_hand("b-1", preprocess=large),
        by_hand("w-1", preprocess=small, judges="image"),
    ]
    found = score(Scorer(bundles, chosen_tiers(sweeps=["scale"])), manifest.take([23]), finder)
    assert sorted(seen) == sorted((round(86 * share),) * 2 + (3,) for share in (1, 0.75, 0.5, 0.35, 0.25))
    outcomes = {(row["bundle"], row["tier"]): row["outcome"] for row in found}
    assert outcomes["a-1", "clean"] != "not_applicable"
    assert outcomes["a-1", "scale-0.25"] != "not_applicable"  # the larger face is 22 pixels wide
    assert outcomes["w-1", "clean"] != "not_applicable"


def test_without_a_face_there_is_no_number(by_hand, manifest) -> None:
    bundles = [by_hand(), by_hand("whole-1", judges="image")]
    found = score(Scorer(bundles, chosen_tiers()), manifest.take([0]), lambda pixels: [])
    assert [(row["outcome"], row["reason"]) for row in found if row["bundle"] == "hand-1"] == [
        ("not_applicable", "no face was found")
    ]
    assert [row["logit"] is None for row in found if row["bundle"] == "whole-1"] == [False]


def test_videos_are_judged_by_their_tracks_and_not_degraded(bundle, written, examples, clip) -> None:
    manifest = read_manifest(written([Row(path=clip.name, label="real", group="clip", dataset="set")], root=examples))
    opened = Opened("face-1", Judge.open(bundle), Asked(bundle, verdict_for(bundle.contract)))
    scorer = Scorer([opened], chosen_tiers(["web"]), Sampling(2))
    clean, web = score(scorer, manifest, open_finder("dlib"))
    answer = Detector.load("mesoscope-face", frames=2).detect(clip)
    assert (clean["outcome"], clean["logit"]) == (answer.outcome.value, pytest.approx(answer.logit, abs=1e-4))
    assert (clean["width"], clean["height"], clean["brightness"]) == (answer.width, answer.height, None)
    assert (web["outcome"], web["logit"], web["reason"]) == ("not_applicable", None, NOT_DEGRADED)


def test_little_waits_while_many_are_read(by_hand, manifest, monkeypatch) -> None:
    """However many rows there are, only a bounded number of inputs waits for the network."""
    monkeypatch.setattr(scoring, "INPUTS_AHEAD", 8)
    monkeypatch.setattr(scoring, "INPUTS_AT_ONCE", 4)
    waiting, most = 0, 0
    prepare = scoring._prepared

    def counted(*arguments):
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        return prepare(*arguments)

    def session(batch):
        nonlocal waiting
        waiting -= len(batch)
        return [batch.mean(axis=(1, 2, 3)), np.zeros((len(batch), 1, 1), np.float32)]

    monkeypatch.setattr(scoring, "_prepared", counted)
    score(Scorer([by_hand(session=session)], chosen_tiers()), manifest)
    assert waiting == 0
    assert most <= 8 + scoring.WORKERS + 4 + 1
