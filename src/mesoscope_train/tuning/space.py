"""What a search tries: names of settings with their ranges, and how a choice of values becomes a recipe.

``learning_rate,optimizer=sgd|adam,head_units=32..256``: a name alone has the range that is documented in `KNOWN`;
``a|b`` are choices, ``low..high`` is a range. Beside the known names every setting of a recipe can be searched by its
dotted name (``loop.clip=0.5|1|5``), and every option of the detector (``detector.batch_norm=true|false``), with a
range of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
import yaml

from mesoscope.errors import UsageError
from mesoscope_train.detectors import parse_architecture
from mesoscope_train.recipes import settings_from
from mesoscope_train.recipes.settings import Recipe

Value = bool | int | float | str
DETECTOR = "detector"
_LOG_FROM = 100
"""A range of one's own is searched on a logarithmic scale where its ends are this factor apart."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?\d+")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some values."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        return "|".join(_as_text(value) for value in self.values)

    def suggest(self, trial: optuna.Trial, name: str) -> Value:
        """A value, by Optuna."""
        value: Value = trial.suggest_categorical(name, list(self.values))
        return value

    def examples(self) -> tuple[Value, ...]:
        """Values that show whether all can be set."""
        return self.values


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`, both included; `log`: evenly in their logarithms; `whole`: integers."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"

    def suggest(self, trial: optuna.Trial, name: str) -> Value:
        """A value, by Optuna."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def examples(self) -> tuple[Value, ...]:
        """Values that show whether all can be set."""
        ends = (self.low, self.high)
        return tuple(int(end) for end in ends) if self.whole else ends


Range = Choice | Span


@dataclass(frozen=True, slots=True)
class Dimension:
    """One setting that is searched."""

    name: str
    range: Range

    def __str__(self) -> str:
        return f"{self.name}={self.range}"


@dataclass(frozen=True, slots=True)
class _Known:
    """A setting with a name of its own.

    Attributes:
        about: what it is.
        range: unless told otherwise; None where there is no sensible one.
        put: (recipe, value) to the overrides of `mesoscope_train.recipes.settings_from`.
    """

    about: str
    range: Range | None
    put: Callable[[Recipe, Value], dict[str, Any]]


def _in_stages(way: str) -> Callable[[Recipe, Value], dict[str, Any]]:
    return lambda recipe, value: {f"stages.{number}.{way}": value for number in range(len(recipe.stages))}


def _at(way: str) -> Callable[[Recipe, Value], dict[str, Any]]:
    return lambda _recipe, value: {way: value}


def _option(name: str) -> Callable[[Recipe, Value], dict[str, Any]]:
    return lambda recipe, value: {"model.detector": with_option(recipe.model.detector, name, value)}


def _rates(recipe: Recipe, value: Value) -> dict[str, Any]:
    first = recipe.stages[0].optimiser.learning_rate
    return {
        f"stages.{number}.optimiser.learning_rate": float(value) * stage.optimiser.learning_rate / first
        for number, stage in enumerate(recipe.stages)
    }


KNOWN: Mapping[str, _Known] = {
    DETECTOR: _Known("network, with its options", None, _at("model.detector")),
    "learning_rate": _Known(
        "of the first stage; those of later stages keep their ratio to it", Span(1e-5, 1e-1, log=True), _rates
    ),
    "optimizer": _Known("of all stages", Choice(("sgd", "adam", "adamw", "nadam")), _in_stages("optimiser.name")),
    "momentum": _Known("of SGD, in all stages", Span(0.0, 0.99), _in_stages("optimiser.momentum")),
    "weight_decay": _Known("in all stages", Span(1e-6, 1e-1, log=True), _in_stages("optimiser.weight_decay")),
    "backbone_rate": _Known(
        "the backbone's learning rate over the head's", Span(0.01, 1.0, log=True), _in_stages("backbone_rate")
    ),
    "batch_size": _Known("pictures a step", Choice((16, 32, 64, 128)), _at("loop.batch_size")),
    "head_units": _Known(
        "of the detector's hidden layer; a head without one becomes head=dense",
        Span(16, 1024, log=True, whole=True),
        _option("head_units"),
    ),
    "dropout": _Known("of the detector's head", Span(0.0, 0.7), _option("dropout")),
    "smoothing": _Known("of the labels", Span(0.0, 0.2), _at("loss.smoothing")),
}
_ALSO = {"optimiser": "optimizer"}
_CHANGES_LOSS = ("smoothing", "loss.")


def parse_search(text: str) -> tuple[Dimension, ...]:
    """Read ``name,name=a|b,name=low..high``.

    Raises:
        UsageError: an unknown name, one twice, one without a range that needs one, or a range that is none.
    """
    dimensions: list[Dimension] = []
    for part in (piece.strip() for piece in text.split(",")):
        name, equals, given = part.partition("=")
        name = _ALSO.get(name, name)
        known = KNOWN.get(name)
        if known is None and "." not in name:
            raise UsageError(f"--search {part}: {name!r} is no setting that can be searched; {described()}")
        if any(name == other.name for other in dimensions):
            raise UsageError(f"--search: {name!r} stands there twice")
        default = known.range if known is not None else None
        if not equals and default is None:
            raise UsageError(f"--search {name}: give it values, {name}=a|b or {name}=low..high")
        dimensions.append(Dimension(name, _range(name, given, default) if equals else default))  # type: ignore[arg-type]
    return tuple(dimensions)


def described() -> str:
    """The known names with their ranges, for help and messages."""
    names = ", ".join(f"{name}={known.range}" if known.range else f"{name}=…|…" for name, known in KNOWN.items())
    return (
        f"known are {names}; and, with values of their own, any dotted setting of the recipe (loop.clip=0.5|1) and "
        "option of the detector (detector.batch_norm=true|false)"
    )


def applied(recipe: Recipe, values: Mapping[str, Value]) -> Recipe:
    """The recipe with these values.

    Args:
        recipe: left as it is.
        values: by the names of a search; the detector is set before its options.

    Raises:
        UsageError: the recipe or its detector has no such setting, or the value is out of its range.
    """
    for name in sorted(values, key=lambda name: name != DETECTOR):
        overrides = _put(name)(recipe, values[name])
        recipe = settings_from(recipe, None, [f"{way}={yaml.safe_dump(to)}" for way, to in overrides.items()])
    return recipe


def check(recipe: Recipe, search: Sequence[Dimension], measure: str) -> None:
    """Refuse a search some of whose values cannot be set, before anything is trained.

    Raises:
        UsageError: see `applied`; or values of the loss would be compared that are not the same loss.
    """
    networks = next((dimension.range.examples() for dimension in search if dimension.name == DETECTOR), ())
    for dimension in search:
        if measure == "loss" and dimension.name.startswith(_CHANGES_LOSS):
            raise UsageError(
                f"--search {dimension.name} changes the loss itself, so that losses cannot be compared; "
                "search by --measure auc or accuracy"
            )
        for value in dimension.range.examples():
            for network in networks or (None,):
                others = {} if network is None or dimension.name == DETECTOR else {DETECTOR: network}
                applied(recipe, {**others, dimension.name: value})


def fitting(recipe: Recipe, search: Sequence[Dimension], measure: str) -> tuple[Dimension, ...]:
    """Those that this variant of a recipe has; for a search that nobody asked for by name.

    Raises:
        UsageError: it has none of them.
    """
    fits = tuple(dimension for dimension in search if _fits(recipe, dimension, measure))
    if not fits:
        raise UsageError(f"{recipe.name} has none of the settings that its recipe searches; name some by --search")
    return fits


def _fits(recipe: Recipe, dimension: Dimension, measure: str) -> bool:
    try:
        check(recipe, (dimension,), measure)
    except UsageError:
        return False
    return True


def suggested(trial: optuna.Trial, search: Sequence[Dimension]) -> dict[str, Value]:
    """Values for a trial."""
    return {dimension.name: dimension.range.suggest(trial, dimension.name) for dimension in search}


def with_option(detector: str, option: str, value: Value) -> str:
    """An architecture with another value of one option; ``head_units`` of a head without a hidden layer makes one.

    Raises:
        UsageError: it has no such option, or the value is out of its range.
    """
    name, _, text = detector.partition(":")
    options = dict(part.split("=", 1) for part in text.split(",") if part)
    options[option] = _as_text(value)
    known = parse_architecture(name).entry.options.model_fields
    if option == "head_units" and "head" in known and options.get("head", known["head"].default) in ("gap", "bn-bn"):
        options["head"] = "dense"
    return str(parse_architecture(f"{name}:{','.join(f'{key}={each}' for key, each in options.items())}"))


def _put(name: str) -> Callable[[Recipe, Value], dict[str, Any]]:
    if name in KNOWN:
        return KNOWN[name].put
    head, _, rest = name.partition(".")
    return _option(rest) if head == DETECTOR else _at(name)


def _range(name: str, text: str, default: Range | None) -> Range:
    low, dots, high = text.partition("..")
    if not dots:
        values = tuple(_value(each) for each in text.split("|"))
        if "" in values or len(set(values)) != len(values):
            raise UsageError(f"--search {name}={text}: write different values as {name}=a|b, or a range as low..high")
        return Choice(values)
    if not (_NUMBER.fullmatch(low) and _NUMBER.fullmatch(high)) or not float(low) < float(high):
        raise UsageError(f"--search {name}={text}: write a range as low..high, for example 1e-4..1e-1")
    ends = float(low), float(high)
    if isinstance(default, Span):
        return Span(*ends, log=default.log and ends[0] > 0, whole=default.whole)
    log = ends[0] > 0 and ends[1] >= _LOG_FROM * ends[0]
    return Span(*ends, log=log, whole=bool(_WHOLE.fullmatch(low) and _WHOLE.fullmatch(high)))


def _value(text: str) -> Value:
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        return float(text)
    return {"true": True, "false": False}.get(text, text)


def _as_text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
