"""The interface of explanations: the runtime's own methods, those from elsewhere, and every way to ask wrongly."""

from collections.abc import Callable

import numpy as np
import pytest

from mesoscope.errors import EngineError, ExtraMissing, UsageError
from mesoscope.explain.examining import Examiner, Wanted
from mesoscope.explain.findings import FeatureMaps, Units
from mesoscope.explain.methods import (
    GRAPH_MAP,
    SMALLEST_FLOOR,
    Method,
    Subject,
    all_methods,
    find_method,
    methods,
    with_network,
)
from mesoscope.explain.occlusion import occlude
from mesoscope.registry import Elsewhere

Make = Callable[[np.ndarray], Subject]
WEIGHTS = np.arange(16, dtype=np.float32).reshape(4, 4) - 8


def inputs(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 1, size=(1, 3, 16, 16)).astype(np.float32)


def test_all_are_listed_and_unknown_ones_told_with_the_known() -> None:
    names = [method.name for method in all_methods()]
    assert {"graph-map", "occlusion", "grad-cam", "grad-cam++", "hires-cam", "integrated-gradients"} <= set(names)
    assert len(set(names)) == len(names)
    with pytest.raises(UsageError, match=r"unknown explanation 'lime'; known: graph-map, occlusion, attention"):
        find_method("lime")


def test_every_method_says_what_it_is() -> None:
    for method in all_methods():
        assert method.summary
        assert method.unit
        assert "20" in method.source, method.name  # authors, title, place, year
        assert method.load.extra == (None if method.name in methods else "train")


def test_the_graphs_map_is_the_judges(linear_subject: Make) -> None:
    subject = linear_subject(WEIGHTS)
    opened = find_method(GRAPH_MAP).open(subject)
    np.testing.assert_array_equal(opened.explain(inputs()), subject.judge(inputs())[1])
    assert opened.floor == subject.bundle.contract.explanation.floor


def test_the_graph_has_one_layer(linear_subject: Make) -> None:
    subject = linear_subject(WEIGHTS)
    find_method(GRAPH_MAP).open(subject, subject.bundle.contract.explanation.layer)
    with pytest.raises(UsageError, match="for another layer take --method grad-cam"):
        find_method(GRAPH_MAP).open(subject, "conv1")


def test_a_map_of_one_cell_is_refused(small_bundle) -> None:
    flat = Subject(small_bundle, lambda batch: (np.zeros(len(batch)), np.zeros((len(batch), 1, 1), np.float32)))
    with pytest.raises(UsageError, match=r"no spatial map.*--method occlusion"):
        find_method(GRAPH_MAP).open(flat)


def test_occlusion_by_hand(linear_subject: Make) -> None:
    subject = linear_subject(WEIGHTS)
    one = np.ones((3, 16, 16), np.float32)
    alone = occlude(one, subject, np.zeros_like(one), cells=4, window=1)
    np.testing.assert_allclose(alone, WEIGHTS, atol=1e-4)
    pairs = occlude(one, subject, np.zeros_like(one), cells=4, window=2)
    corner = WEIGHTS[:2, :2].sum()
    assert pairs[0, 0] == pytest.approx(corner, abs=1e-4)  # one window covers a corner
    middle = np.mean([WEIGHTS[row : row + 2, column : column + 2].sum() for row in (0, 1) for column in (0, 1)])
    assert pairs[1, 1] == pytest.approx(middle, abs=1e-4)


def test_occlusion_finds_nothing_on_plain_grey(linear_subject: Make) -> None:
    assert find_method("occlusion").open(linear_subject(WEIGHTS)).floor < 1e-4


def test_what_is_not_installed_is_told_as_its_extra(linear_subject: Make) -> None:
    method = Method("x", "s", "u", Elsewhere("nowhere_at_all.part:opener", "train"), True, "n 2020")
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        method.open(linear_subject(WEIGHTS))  # its own package is missing: a defect


def test_a_missing_part_of_the_extra_is_told(linear_subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("mesoscope.registry.importlib.import_module", refuse)
    with pytest.raises(ExtraMissing, match=r"the explanation 'grad-cam' needs the 'train' extra"):
        find_method("grad-cam").open(linear_subject(WEIGHTS))
    with pytest.raises(ExtraMissing, match=r"what is inside a network needs the 'train' extra"):
        with_network(linear_subject(WEIGHTS))


def test_without_anybody_who_opens_networks(linear_subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mesoscope.explain.methods.entry_points", lambda group: ())
    with pytest.raises(ExtraMissing):
        with_network(linear_subject(WEIGHTS))


def test_random_weights_need_the_network(linear_subject: Make) -> None:
    with pytest.raises(UsageError, match="where the network inside the bundle is open"):
        linear_subject(WEIGHTS).randomised(1)


def test_a_layer_for_methods_without_layers_is_refused(linear_subject: Make) -> None:
    with pytest.raises(UsageError, match="occlusion is not made of a layer; take --method grad-cam"):
        Examiner(linear_subject(WEIGHTS), Wanted((find_method("occlusion"),), layer="conv1"))


def broken(subject: Subject, layer: str | None = None):
    return lambda batch: np.full((len(batch), 4, 4), np.nan, np.float32)


def broken_on_pictures(subject: Subject, layer: str | None = None):
    return lambda batch: np.full((len(batch), 4, 4), 0 if batch.std() < 1e-6 else np.inf, np.float32)


def test_values_that_are_not_finite_are_refused(linear_subject: Make) -> None:
    subject = linear_subject(WEIGHTS)
    with pytest.raises(EngineError, match="not finite on a plain grey picture"):
        Method("x", "s", "u", Elsewhere(f"{__name__}:broken"), True, "n 2020").load.found("x")
        _opened(broken, subject)
    examiner = Examiner(subject, Wanted((find_method("occlusion"),)))
    object.__setattr__(examiner.opened[0], "explain", broken_on_pictures(subject))
    with pytest.raises(EngineError, match="occlusion gave a value that is not finite"):
        examiner.views(inputs()[0], towards=1)


def _opened(opener, subject: Subject):
    class Here(Elsewhere):
        def found(self, what: str):
            return opener

    return Method("x", "s", "u", Here("here:opener"), True, "n 2020").open(subject)


class FakeNetwork:
    """A network inside, as the learning package would bring it."""

    layers = ("conv1",)

    def __init__(self, subject: Subject) -> None:
        self.judge = subject.judge
        self.seeds: list[int] = []

    def feature_maps(self, one: np.ndarray) -> list[FeatureMaps]:
        return [FeatureMaps("conv1", one, "as it came")]

    def units(self, one: np.ndarray) -> Units:
        return Units("fc", one.mean((1, 2)), one.mean((1, 2)), 0.0)

    def randomised(self, seed: int) -> "FakeNetwork":
        self.seeds.append(seed)
        return FakeNetwork(Subject(None, lambda batch: (batch.mean((1, 2, 3)), batch.mean(1)[:, :4, :4])))


def test_an_examiner_gives_maps_tests_and_what_is_inside(linear_subject: Make) -> None:
    subject = linear_subject(WEIGHTS)
    network = FakeNetwork(subject)
    examiner = Examiner(
        Subject(subject.bundle, subject.judge, network), Wanted((find_method(GRAPH_MAP), find_method("occlusion")))
    )
    assert network.seeds == [1, 2, 3]
    graph, occluded = examiner.views(inputs()[0], towards=1)
    assert graph.method == GRAPH_MAP
    assert graph.layer == subject.bundle.contract.explanation.layer
    assert occluded.layer == ""
    assert graph.faithfulness is not None
    assert graph.faithfulness.towards == 1
    assert graph.sanity is not None
    assert len(graph.sanity.correlations) == 3
    assert graph.scale.high == pytest.approx(graph.map.max())
    layers, units = examiner.inside(inputs()[0])
    assert layers[0].name == "conv1"
    assert units is not None


def test_without_the_network_there_is_less_and_without_controls_no_test(linear_subject: Make) -> None:
    examiner = Examiner(linear_subject(WEIGHTS), Wanted((find_method(GRAPH_MAP),), controls=0))
    (view,) = examiner.views(inputs()[0], towards=1)
    assert view.sanity is None
    assert view.faithfulness is None
    assert view.verdict == "Not tested for faithfulness."
    assert view.localised  # nothing speaks against it, and the verdict says that nothing was asked
    assert examiner.inside(inputs()[0]) == ([], None)
    assert examiner.first.method.name == GRAPH_MAP


def test_below_the_floor_nothing_is_claimed(linear_subject: Make) -> None:
    (view,) = Examiner(linear_subject(WEIGHTS * 1e-6), Wanted((find_method(GRAPH_MAP),))).views(
        inputs()[0], towards=1
    )
    assert not view.localised
    assert view.verdict.startswith("No localised evidence: the peak")
    assert view.scale.floor > SMALLEST_FLOOR
