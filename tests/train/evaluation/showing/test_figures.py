"""Figures say what scikit-learn says, carry what was counted, and can be told apart without colour."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from sklearn import metrics as sk

from mesoscope.errors import UsageError
from mesoscope_train.evaluation.figures import draw_figures, write_figures
from mesoscope_train.evaluation.figures.parts import broken, hyphen_broken, look, percent
from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import Settings
from mesoscope_train.figures import FAKE, WARNING, themed_svg

HOSTILE = "<b>$x^2$_%\\&\u202e"
BUNDLES = ("steady-1", "falling-1")


def written(figure) -> str:
    """All text of a figure that is seen."""
    figure.canvas.draw()
    parts = [text.get_text() for text in figure.findobj(lambda one: hasattr(one, "get_text")) if text.get_visible()]
    return "\n".join(parts)


def rates(truth, probability, threshold):
    said = probability >= threshold
    return (said & (truth == 0)).sum() / (truth == 0).sum(), (said & (truth == 1)).sum() / (truth == 1).sum()


def test_every_kind_of_figure_is_there_once(charts):
    both = {"roc", "precision-recall", "risk-coverage", "confusion", "scores", "reliability"}
    assert {f"{kind}-{name}" for kind in both for name in ("first", "second")} <= set(charts)
    assert {"cross-auc", "cross-accuracy", "roc-first-video", "slice-people-gender"} <= set(charts)
    assert {f"degradation-{name}" for name in ("first", "second", "people")} <= set(charts)
    assert "slice-first-size-quartile" in charts
    assert charts["slice-people-gender"].kind == "false-alarms"
    assert "roc-people" not in charts and "precision-recall-people" not in charts


def test_titles_axes_and_what_was_counted(charts):
    counted = {"roc", "scores", "reliability", "risk-coverage", "tiers"}
    for name, chart in charts.items():
        text = written(chart.figure)
        title = chart.figure.texts[0]
        assert title.get_text() and title.get_fontweight() == "bold", name
        if chart.manifest:
            assert chart.manifest in title.get_text()
            axes = [one for one in chart.figure.axes if one.get_visible()]
            confusion = chart.kind == "confusion"
            assert confusion or any(one.get_xlabel() for one in axes), name
        if chart.manifest == "second" and chart.kind in counted and "group" not in name:
            assert "60 real and 60 fake" in text.replace("\n", " ")
            assert "2 without a score" in text.replace("\n", " ")


def test_files_are_pictures_of_a_column_or_a_page(metrics, charts, tmp_path):
    few = metrics.model_copy(update={"manifests": [one for one in metrics.manifests if one.name == "people"]})
    drawn = write_figures(few, tmp_path / "figures")
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        f"{chart.name}{suffix}" for chart in drawn for suffix in (".png", ".svg")
    }
    for chart in drawn:
        pixels = np.asarray(Image.open(tmp_path / "figures" / f"{chart.name}.png").convert("L"))
        assert pixels.shape[1] in (670, 1380)
        assert 0.002 < (pixels < 200).mean() < 0.6


def test_a_directory_that_is_a_file_is_told(metrics, tmp_path):
    (tmp_path / "figures").write_text("x")
    with pytest.raises(UsageError, match="it is a file"):
        write_figures(metrics, tmp_path / "figures")


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("manifest", ["first", "second"])
def test_roc_is_scikit_learns(charts, answers, manifest, place):
    truth, logits, probability = answers(BUNDLES[place], manifest)
    fpr, tpr, _ = sk.roc_curve(truth, logits, drop_intermediate=False)
    whole = charts[f"roc-{manifest}"].figure.axes[0]
    curves = [line for line in whole.lines if len(line.get_xdata()) > 2]
    x, y = curves[place].get_xdata(), curves[place].get_ydata()
    for at, value in zip(x, y, strict=True):
        # on the staircase: between what is reached at and just before this rate
        low, high = tpr[fpr <= at + 1e-9].max(), tpr[fpr >= at - 1e-9].min()
        assert min(low, high) - 1e-9 <= value <= max(low, high) + 1e-9
    (mark,) = [
        line for line in whole.lines if line.get_linestyle() == "None" and line.get_marker() == look(place).marker
    ]
    threshold = (0.6, 0.5)[place]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == pytest.approx(rates(truth, probability, threshold))
    assert f"AUC {sk.roc_auc_score(truth, logits):.3f}" in written(charts[f"roc-{manifest}"].figure)


def test_confusion_is_scikit_learns_with_those_without_an_answer(charts, answers):
    figure = charts["confusion-second"].figure
    for axes, bundle, threshold in zip(figure.axes, BUNDLES, (0.6, 0.5), strict=False):
        truth, _, probability = answers(bundle, "second")
        table = sk.confusion_matrix(truth, probability >= threshold)
        numbers = [text.get_text() for text in axes.texts if text.get_fontweight() == "bold"]
        assert numbers == [*map(str, table[0]), "1", *map(str, table[1]), "1"]
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["called real", "called fake", "no answer"]
    assert "in band" in written(figure)


def test_histograms_hold_every_score(charts, answers):
    axes = charts["scores-second"].figure.axes[0]
    shares = [patch.get_data().values for patch in axes.patches if hasattr(patch, "get_data")]
    assert {round(float(abs(values).sum()), 9) for values in shares} == {1.0}
    truth, _, probability = answers("steady-1", "second")
    filled = shares[0]
    edges = axes.patches[0].get_data().edges
    assert np.allclose(filled, np.histogram(probability[truth == 0], edges)[0] / (truth == 0).sum())
    assert "inconclusive" in written(charts["scores-second"].figure)


def test_risk_ends_at_the_share_of_mistakes(charts, answers):
    axes = charts["risk-coverage-second"].figure.axes[0]
    curves = [line for line in axes.lines if len(line.get_xdata()) > 2]
    for line, bundle, threshold in zip(curves, BUNDLES, (0.6, 0.5), strict=True):
        truth, _, probability = answers(bundle, "second")
        assert line.get_xdata()[-1] == 1
        assert line.get_ydata()[-1] == pytest.approx(1 - sk.accuracy_score(truth, probability >= threshold))


def test_degraded_rates_stand_on_one_threshold(charts, answers):
    figure = charts["degradation-second"].figure
    panels = {axes.get_ylabel(): axes for axes in figure.axes if axes.get_ylabel()}
    assert set(panels) == {"AUC", "fakes found", "reals called fake"}
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert titles == ["tiers", "JPEG"]
    for place, (bundle, threshold) in enumerate(zip(BUNDLES, (0.6, 0.5), strict=True)):
        expected = [rates(*answers(bundle, "second", tier)[::2], threshold) for tier in ("clean", "hard")]
        for name, which in (("reals called fake", 0), ("fakes found", 1)):
            assert panels[name].lines[place].get_ydata() == pytest.approx([pair[which] for pair in expected])
    labels = [[tick.get_text() for tick in axes.get_xticklabels()] for axes in figure.axes[-2:]]
    assert labels == [["clean", "hard"], ["clean", "60", "30"]]


def test_a_gap_between_two_values_rings_both(charts):
    figure = charts["slice-people-gender"].figure
    (axes,) = [one for one in figure.axes if one.get_visible()]
    assert axes.get_yticklabels()[0].get_text().startswith("all\n")
    ringed = [line for line in axes.lines if to_hex(line.get_markeredgecolor()) == WARNING]
    assert len(ringed) == 4  # two bundles, two genders
    assert axes.get_xlabel() == "reals called fake"


def test_the_table_of_numbers_outlines_what_is_no_better_than_a_coin(charts, metrics):
    axes = charts["cross-auc"].figure.axes[0]
    dashed = [patch for patch in axes.patches if patch.get_linestyle() not in ("-", "solid")]
    assert {to_hex(patch.get_edgecolor()) for patch in dashed} == {FAKE}
    low = [
        reading.metrics["auc"]
        for reading in metrics.find(tier="clean", unit="picture", slice=None)
        if reading.value("auc") is not None
    ]
    assert len(dashed) == sum((one.value if one.low is None else one.low) <= 0.5 for one in low)
    text = written(charts["cross-auc"].figure)
    assert "†" in text and "‡" in text and "?" in text


def test_lines_are_told_apart_without_colour():
    looks = [look(place) for place in range(6)]
    assert len({one.marker for one in looks}) == 6
    assert len({str(one.linestyle) for one in looks}) == 6
    many = [look(place) for place in range(36)]
    assert len({(one.color, one.marker, str(one.linestyle)) for one in many}) == 36


def test_names_of_strangers_are_text(make):
    rows_of, scores_of = make
    rows = [
        {**row, "dataset": HOSTILE, "gender": (HOSTILE, "b")[index % 2]}
        for index, row in enumerate(rows_of(HOSTILE, 80, "real", 0))
    ]
    found = scores_of(rows, bundles=("steady-1",), tiers=("clean",))
    drawn = list(draw_figures(measure(found, Settings(draws=100, minimum_n=5, slices=("gender",)))))
    assert len({chart.name for chart in drawn}) == len(drawn) >= 4
    for chart in drawn:
        assert chart.name.replace("-", "").isalnum()
        svg = themed_svg(chart.figure, chart.name, chart.caption)
        assert "<b>" not in svg and "\u202e" not in written(chart.figure)


def test_one_manifest_needs_no_table_of_them(metrics):
    few = metrics.model_copy(update={"manifests": metrics.manifests[:1]})
    assert not [chart for chart in draw_figures(few) if chart.kind == "cross"]


def test_no_tier_no_figure_of_tiers(make):
    rows_of, scores_of = make
    found = measure(scores_of(rows_of("first", 40, "both", 0)), Settings(draws=100, slices=("size_quartile",)))
    assert not [chart for chart in draw_figures(found) if chart.kind == "tiers"]


def test_lines_break_at_spaces_and_names_after_hyphens():
    assert broken("one two three", 7) == ["one two", "three"]
    assert broken("indivisible", 4) == ["indivisible"]
    assert hyphen_broken("mesonet-mesoinception4-df-1", 12) == "mesonet-\nmesoinceptio\nn4-df-1"
    assert hyphen_broken("short", 12) == "short"
    assert [percent(share) for share in (0.5, 0.125, 1 / 3)] == ["50 %", "12.5 %", "33.3 %"]
