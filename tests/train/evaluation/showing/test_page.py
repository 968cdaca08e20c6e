"""The page: what falls stands first, counts and reasons stand beside the numbers, no name becomes markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from sklearn import metrics as sk

from mesoscope.bundle import load_bundle
from mesoscope.errors import UsageError
from mesoscope_train.evaluation.answer import boxes, falls, headline
from mesoscope_train.evaluation.explanations import HEADS, explained
from mesoscope_train.evaluation.figures import draw_figures
from mesoscope_train.evaluation.measuring import measure
from mesoscope_train.evaluation.metrics_schema import CATALOGUE, Counts, Fall, Metric, Metrics, Reading, Settings
from mesoscope_train.evaluation.page import write_page
from mesoscope_train.evaluation.trust import level_of
from mesoscope_train.evaluation.wording import (
    digits,
    estimate,
    out_of_hundred,
    p_text,
    sentence,
    slugs,
    unanswered_briefly,
)

HOSTILE = "<img src=x onerror=alert(1)>'\"&</style><script>$x^2$\u202egpj"
SHOWN = "<img src=x onerror=alert(1)>'\"&</style><script>$x^2$\\u{202e}gpj"
VOID = frozenset({"meta", "img"})


class Parsed(HTMLParser):
    """What a browser would see."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source, self.text = source, ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.captions: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "figcaption":
            self.captions.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if "figcaption" in self.open:
            self.captions[-1] += data

    def all(self, name):
        return [attributes[name] for _, attributes in self.tags if name in attributes]


@pytest.fixture(scope="module")
def contract():
    return load_bundle("mesoscope-face").contract


@pytest.fixture(scope="module")
def shown(charts):
    """Some figures of each kind: drawing all takes long."""
    return {
        name: chart
        for name, chart in charts.items()
        if chart.manifest in ("second", "") or chart.name == "slice-people-gender"
    }


@pytest.fixture(scope="module")
def page(metrics, shown, contract, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "index.html"
    histories = {"first": ["mesoscope data import --format <x>"]}
    write_page(metrics, [*shown.values()], path, contracts={"steady-1": contract}, histories=histories)
    return Parsed(path.read_text(encoding="utf-8"))


def metric(value, low=None, high=None, n=100):
    return Metric(value=value, low=low, high=high, no_interval=None if low is not None else "few", n=n, n_groups=n)


def reading(**metrics):
    return Reading(
        bundle="b-1", manifest="m", tier="clean", unit="picture", threshold=0.5, lower=0.5,
        counts=Counts(real=100, fake=100, answered_real=100, answered_fake=100, groups=100), metrics=metrics,
        confusion={"absent": "x"},
    )  # fmt: skip


def test_what_falls_stands_before_everything_else(page, answers):
    start, end = (f"{sk.roc_auc_score(*answers('falling-1', name)[:2]):.3f}" for name in ("first", "second"))
    assert f"the AUC of falling-1 falls from {start} to {end}." in page.text
    classes = [attributes.get("class") or "" for _, attributes in page.tags]
    assert classes.index("fall") < min(place for place, name in enumerate(classes) if name.startswith("box"))
    large = re.findall(r'<span class="big">([^<]*)</span>', page.source)
    assert large == [start, end]


@pytest.mark.parametrize(
    ("start", "end", "interval", "told"),
    [
        (0.958, 0.613, (-0.4, -0.3), True),
        (0.958, 0.93, (-0.04, -0.02), False),  # too little
        (0.958, 0.6, (-0.6, 0.01), False),  # may be chance
        (0.958, 0.6, (None, None), False),  # too few pictures to know
        (0.958, 0.4, (-0.6, -0.5), True),
    ],
)
def test_a_headline_is_computed_and_needs_an_interval(metrics, start, end, interval, told):
    difference = metric(end - start, *interval)
    fall = Fall(
        kind="manifest", bundle="falling-1", unit="picture", metric="auc", from_manifest="first", from_tier="clean",
        to_manifest="second", to_tier="clean", from_value=metric(start, start, start),
        to_value=metric(end, end, end), difference=difference,
    )  # fmt: skip
    changed = metrics.model_copy(update={"falls": [fall]})
    expected = (
        f"What holds on first does not hold on second: the AUC of falling-1 falls from {start:.3f} to {end:.3f}."
    )
    assert headline(changed) == (expected if told else "")
    if told:
        (fallen,) = falls(changed)
        gone = "75 % of what" if end > 0.5 else "Nothing is left"
        assert gone in fallen.words


def test_without_a_fall_nothing_red_is_shown(metrics, charts, tmp_path):
    write_page(metrics.model_copy(update={"falls": []}), [], tmp_path / "p.html")
    assert 'class="fall"' not in (tmp_path / "p.html").read_text()


@pytest.mark.parametrize(
    ("auc", "wrong", "missed", "level"),
    [
        ((0.95, 0.91, 0.97), (0.05, 0.03, 0.08), (0.1, 0.05, 0.15), "good"),
        ((0.95, 0.89, 0.97), (0.05, 0.03, 0.08), (0.1, 0.05, 0.15), "care"),
        ((0.95, 0.91, 0.97), (0.05, 0.03, 0.12), (0.1, 0.05, 0.15), "care"),
        ((0.95, 0.91, 0.97), (0.05, 0.03, 0.08), (0.6, 0.5, 0.7), "unfit"),
        ((0.70, 0.65, 0.75), (0.05, 0.03, 0.08), (0.1, 0.05, 0.15), "weak"),
        ((0.55, 0.45, 0.65), (0.05, 0.03, 0.08), (0.1, 0.05, 0.15), "chance"),
        (None, (0.05, 0.03, 0.08), None, "half"),
        (None, (0.3, 0.2, 0.4), None, "weak"),
        ((0.95,), (0.05,), (0.1,), None),
        ((0.95,), (0.05, 0.03, 0.08), (0.1, 0.05, 0.15), None),
        ((0.95, 0.91, 0.97), (0.05, 0.03, 0.08), (0.1,), None),
        (None, None, None, None),
    ],
)
def test_how_far_a_bundle_is_trusted(auc, wrong, missed, level):
    named = {"auc": auc, "false_positive_rate": wrong, "false_negative_rate": missed}
    assert level_of(reading(**{name: metric(*value) for name, value in named.items() if value})) == level


def test_the_answer_names_data_sets_by_how_far_they_can_be_trusted(metrics):
    titles = [box.title for box in boxes(metrics)]
    assert titles[0].startswith("steady-1 – reliable: first †; ")
    assert "trained on these very pictures: tiny" in titles[0]
    assert titles[1].startswith("falling-1 – ") and "not to be relied on: second and people" in titles[1]
    assert "?" not in titles[1]  # it holds for all of them, so it is a warning of its own


def test_unequal_false_alarms_have_a_box_of_their_own(metrics):
    (box,) = [box for box in boxes(metrics) if "called fake more often" in box.title]
    assert len([one for one in box.sentences if "gender = male" in one]) == 2


def test_warnings_are_there_each_once(metrics, page):
    box = boxes(metrics)[-1]
    everything = [*box.sentences, *box.details]
    for words in (
        "The test part of second was evaluated before.",
        "Allowed: steady-1 saw tiny.",
        "falling-1 was never calibrated",
        "whether it was trained on these pictures cannot be told; this holds for all 4 data sets.",
        "steady-1 saw other groups of it.",
        "people holds reals only",
    ):
        assert len([one for one in everything if words in one]) == 1, words
        assert words in page.text
    assert everything[0].startswith("Allowed")


def test_counts_without_an_answer_stand_beside_every_figure(page, shown):
    captions = dict(zip(shown, page.captions, strict=True))
    for name, chart in shown.items():
        if chart.manifest == "second":
            assert "1 error, 1 not applicable, " in captions[name], name
        elif chart.manifest:
            assert "0 errors, 0 not applicable, " in captions[name], name
    assert "the file is cut off (1); no face was found (1)" in page.text


def test_what_is_absent_has_its_reason(page, metrics):
    assert "there is no fake among the answered." in page.text
    assert "AUC, average precision, EER" in page.text
    assert "only 1 group of the rarer class" in page.text or "tiny" in page.text


def test_every_number_and_figure_is_explained(page, metrics, charts):
    anchors = {entry.anchor for entry in explained(metrics)}
    assert {f"x-{chart.kind}" for chart in charts.values()} <= anchors
    assert set(HEADS.values()) <= anchors
    used = {name for one in metrics.readings for name in one.metrics}
    titles = {entry.title.lower() for entry in explained(metrics)}
    assert {CATALOGUE[name].title.lower() for name in used} <= titles
    assert all(entry.means.endswith(".") for entry in explained(metrics))
    assert anchors <= set(page.all("id"))


def test_every_number_of_a_reading_stands_on_the_page(page, metrics):
    (reading,) = metrics.find(bundle="falling-1", manifest="second", tier="clean", unit="picture", slice=None)
    assert set(reading.metrics) == set(CATALOGUE)
    section = page.text.partition("How well scores rank")[2]
    for name, found in reading.metrics.items():
        assert estimate(found).partition(" (")[0] in section, name


def test_thresholds_stand_with_what_they_promise(page, contract):
    for budget in contract.thresholds.budgets:
        assert f"{100 * budget.max_fpr:g} %" in page.text
        if budget.upper_95 is not None:
            assert f"{100 * budget.upper_95:.2f} %" in page.text
    assert contract.thresholds.chosen_on in page.text


def test_numbers_are_scikit_learns(page, answers):
    for bundle, threshold in (("steady-1", 0.6), ("falling-1", 0.5)):
        truth, logits, probability = answers(bundle, "second")
        said = probability >= threshold
        for value in (
            sk.roc_auc_score(truth, logits),
            sk.accuracy_score(truth, said),
            sk.balanced_accuracy_score(truth, said),
            sk.brier_score_loss(truth, probability),
            sk.log_loss(truth, probability),
            sk.f1_score(truth, said),
        ):
            assert f"{value:.3f}" in page.text


def test_provenance_and_commands(page, metrics):
    for words in (
        "mesoscope data import --format <x>",
        "mesoscope evaluate --out page",
        metrics.provenance.scores_sha256,
        "ab" * 32,
        "cd" * 32,
        "100 bootstrap draws of whole groups, seed 0",
    ):
        assert words in page.text


def test_it_is_one_file_without_scripts_or_addresses(page):
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "iframe", "object", "img"}
    addresses = [address for name in ("src", "href", "xlink:href") for address in page.all(name)]
    assert all(address.startswith("#") for address in addresses)
    ids = page.all("id")
    assert {address[1:] for address in addresses} <= set(ids)
    assert len(ids) == len(set(ids))
    assert "url(http" not in page.source and "@import" not in page.source


def test_figures_follow_the_theme(page):
    assert not re.findall(r'style="[^"]*(?:stroke|fill): #(?:00795a|8e4a9e|20242a|b93a0e)', page.source)
    assert "var(--series-1, #00795a)" in page.source


def test_hostile_names_stay_text(make, tmp_path):
    rows_of, scores_of = make
    rows = [
        {**row, "gender": (HOSTILE, "b")[index % 2], "dataset": HOSTILE}
        for index, row in enumerate(rows_of(HOSTILE, 48, "both", 0))
    ]
    found = measure(
        scores_of(rows, tiers=("clean",), command=HOSTILE), Settings(draws=100, minimum_n=5, slices=("gender",))
    )
    write_page(found, list(draw_figures(found))[:1], tmp_path / "p.html", histories={HOSTILE: [HOSTILE]})
    page = Parsed((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert "\u202e" not in page.source
    assert page.text.count(SHOWN) >= 8


def test_a_page_that_cannot_be_written_is_told(metrics, tmp_path):
    with pytest.raises(UsageError, match="it is a directory"):
        write_page(metrics, [], tmp_path)
    assert not [*tmp_path.iterdir()]


def test_the_same_numbers_from_the_file_give_the_same_page(metrics, charts, tmp_path):
    again = Metrics.from_json(metrics.to_json())
    for name, numbers in (("a", metrics), ("b", again)):
        write_page(numbers, [], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_numbers_in_words():
    assert digits(0.99996) == ">0.999" and digits(1.0) == "1.000" and digits(0.0) == "0.000"
    assert digits(0.0001) == "<0.001" and digits(-0.25) == "−0.250"
    assert estimate(metric(0.9996, 0.99, 0.9999)) == ">0.999 (0.990 to 1.000)"
    assert estimate(None) == "–"
    assert out_of_hundred(metric(0.004, 0, 0.081)) == "0.4 (0 to 8)"
    assert [p_text(p) for p in (None, 0.00001, 0.0123, 0.5)] == ["–", "<0.0001", "0.012", "0.50"]
    assert sentence("some clause") == "Some clause." and sentence("dfdc is small", ["dfdc"]) == "dfdc is small."
    assert slugs(["A b", "a-b", "日本"]) == {"A b": "a-b", "a-b": "a-b-2", "日本": "unnamed"}
    none = Counts(real=1, fake=1, answered_real=1, answered_fake=1, groups=2)
    some = Counts(
        real=2, fake=3, answered_real=1, answered_fake=1, error_real=1, not_applicable_fake=2, groups=2,
        inconclusive_fake=1,
    )  # fmt: skip
    assert unanswered_briefly(none) == "all answered"
    assert unanswered_briefly(some) == "1 error, 2 not applicable, 1 inconclusive"
