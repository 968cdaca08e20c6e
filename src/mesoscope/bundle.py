"""A bundle: a trained, exported detector with everything needed to use it, as a directory of data.

``name-version/`` holds ``model.onnx`` (logit, map), ``bundle.json`` (the contract below),
``weights.safetensors`` (the state of the registered architecture; the runtime never opens it) and
``card.md``. Reading is strict: an unknown field, a missing field, a wrong hash, another schema or a file
that is no part of a bundle is refused with a sentence. Nothing in a bundle is ever executed or unpickled.
See ``docs/bundle.md``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mesoscope.errors import BundleError, BundleIntegrityError, BundleNotFound
from mesoscope.preprocess import Preprocess
from mesoscope.types import Probability

SCHEMA_VERSION = 2
CONTRACT_FILE = "bundle.json"
GRAPH_FILE = "model.onnx"
WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "card.md"
PAYLOAD_FILES = (GRAPH_FILE, WEIGHTS_FILE, CARD_FILE)
"""Every file of a bundle besides the contract; the contract states the sha256 of each."""
LABELS = {"real": 0, "fake": 1}
DEFAULT_BUNDLE = "mesoscope-face"
REQUIRED_BUDGETS = (0.01, 0.05)
"""False-positive budgets that a calibrated bundle states, where it was calibrated on groups enough for them."""
_UNSAFE_SUFFIXES = frozenset({".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy", ".py", ".pyc"})

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
Architecture = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(:[a-z_]+=[A-Za-z0-9._-]+(,[a-z_]+=[A-Za-z0-9._-]+)*)?$", max_length=200),
]
"""A registered detector, and options where they are not the default: ``resnet50:head=dense,head_units=128``."""
Text = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Calibration(_Strict):
    """Probability of fake = sigmoid(slope * logit + intercept); a temperature T is slope 1/T, intercept 0."""

    method: Literal["temperature", "platt"]
    slope: Annotated[float, Field(gt=0)]
    intercept: float


class Isotonic(_Strict):
    """Probability of fake = sigmoid(z(logit)), z being straight between the knots and rising everywhere.

    Attributes:
        knots: pairs (logit, z), both strictly increasing; beyond the ends z goes on with `mesoscope.calibrate.TAIL`.
    """

    method: Literal["isotonic"]
    knots: Annotated[list[tuple[float, float]], Field(min_length=2)]

    @model_validator(mode="after")
    def _rises(self) -> Isotonic:
        if any(left[0] >= right[0] or left[1] >= right[1] for left, right in pairwise(self.knots)):
            raise ValueError("the knots must increase strictly, in logit and in z")
        return self


class Budget(_Strict):
    """From `threshold` (a probability) on, at most `max_fpr` of real pictures are expected to be called fake.

    Attributes:
        max_fpr: the share, in expectation over samples of as many groups and one more group like them.
        threshold: a probability.
        upper_95: with a confidence of 95 % the share is no larger than this; null where nothing is promised, as for
            an int8 copy that kept its source's thresholds.
    """

    max_fpr: Annotated[float, Field(gt=0, lt=1)]
    threshold: Probability
    upper_95: Probability | None


class Thresholds(_Strict):
    """Probabilities from which on the outcome is fake, and the data they were chosen on.

    Attributes:
        default: used unless a budget is asked for.
        budgets: at false-positive budgets; 1 % and 5 % at least, where there are groups enough to promise them.
        chosen_on: what data, in words.
        manifest_sha256: of the manifest they are listed in; null where it is not known.
        n_real, n_fake: how many pictures of it.
        n_real_groups, n_fake_groups: how many groups (source videos, people) those are; promises count groups.
    """

    default: Probability
    budgets: Annotated[list[Budget], Field(min_length=1)]
    chosen_on: Text
    manifest_sha256: Sha256 | None
    n_real: Count
    n_fake: Count
    n_real_groups: Annotated[int, Field(ge=1)]
    n_fake_groups: Annotated[int, Field(ge=1)]

    @property
    def smallest_budget(self) -> float:
        """The smallest share of false positives that so many groups can promise: one more may always be above all."""
        return 1 / (self.n_real_groups + 1)

    @model_validator(mode="after")
    def _keeps_its_word(self) -> Thresholds:
        stated = {budget.max_fpr for budget in self.budgets}
        if min(stated) < self.smallest_budget:
            raise ValueError(f"{self.n_real_groups} groups of reals cannot promise a budget of {min(stated):g}")
        wanted = {budget for budget in REQUIRED_BUDGETS if budget >= self.smallest_budget}
        if not wanted <= stated:
            raise ValueError("thresholds at false-positive budgets of 0.01 and 0.05 are required where groups allow")
        return self


class Band(_Strict):
    """Probabilities in [lower, upper) are inconclusive; the upper edge is the threshold for fake.

    Attributes:
        lower: below it the outcome is real.
        upper: the default threshold.
        max_missed: share of fakes of the kind the thresholds were chosen on that is expected below `lower`, at most.
    """

    lower: Probability
    upper: Probability
    max_missed: Annotated[float, Field(gt=0, lt=1)]


class Explanation(_Strict):
    """The graph's second output.

    Attributes:
        method: how the map is computed, in the graph.
        layer: the layer it is taken from.
        floor: a peak of the map (in its own units, absolute) below which nothing localised is claimed.
    """

    method: Literal["grad-cam"]
    layer: Text
    floor: Annotated[float, Field(gt=0)]


class TrainingData(_Strict):
    """One data set that took part.

    Attributes:
        name: of the data set.
        terms: under which it may be used.
        n_real, n_fake: pictures used for training.
        manifest_sha256: of the manifest that lists pictures, labels, groups and splits; null where the
            weights were published without one.
    """

    name: Text
    terms: Text
    n_real: Count | None
    n_fake: Count | None
    manifest_sha256: Sha256 | None


class Licences(_Strict):
    """SPDX identifiers or a sentence, for the code, the data and the weights."""

    code: Text
    data: Text
    weights: Text


class Parity(_Strict):
    """Largest absolute differences measured when the graph was written, on `inputs` inputs.

    Attributes:
        against: ``torch``, the module and automatic differentiation; or ``float32``, for an int8 graph: the float32
            graph it was made from, in the same engine.
        openvino_logit, onnxruntime_logit: of the logit.
        map: of the map, over both engines.
    """

    against: Literal["torch", "float32"]
    inputs: Annotated[int, Field(ge=1)]
    openvino_logit: Annotated[float, Field(ge=0)]
    onnxruntime_logit: Annotated[float, Field(ge=0)]
    map: Annotated[float, Field(ge=0)]


class Reading(_Strict):
    """How one graph does in one engine on labelled pictures.

    Attributes:
        accuracy: both classes weighing the same, at the bundle's default threshold; inconclusive counts as the side
            of the threshold it is on.
        auc, auc_low, auc_high: and its 95 % interval by group; null where there are too few groups for one.
        milliseconds: a picture alone, one thread, fastest run on the machine that measured, without preprocessing.
    """

    accuracy: Probability
    auc: Probability
    auc_low: Probability | None
    auc_high: Probability | None
    milliseconds: Annotated[float, Field(gt=0)]


class Cost(_Strict):
    """What int8 changes in one engine.

    Attributes:
        before, after: the float32 graph and the int8 graph, on the same pictures.
        largest_logit, mean_logit: absolute changes.
        largest_map: largest absolute change of a map's value, as a share of the largest value of all float32 maps.
        map_correlation: between the two maps of a picture, over its cells; the median over pictures.
        same_outcome: share of pictures whose outcome (fake, real, inconclusive) stays.
    """

    before: Reading
    after: Reading
    largest_logit: Annotated[float, Field(ge=0)]
    mean_logit: Annotated[float, Field(ge=0)]
    largest_map: Annotated[float, Field(ge=0)]
    map_correlation: Annotated[float, Field(ge=-1, le=1)]
    same_outcome: Probability


class Quantisation(_Strict):
    """How an int8 graph was made of a float32 graph, and what it costs on pictures kept apart for that.

    Attributes:
        method: in words.
        source: name-version of the float32 bundle.
        source_sha256: of its bundle.json.
        manifest_sha256: of the manifest that the pictures are from.
        n_ranges: pictures on which the ranges of the activations were found.
        n_real, n_fake, n_groups: pictures and groups the cost was measured on.
        bytes_before, bytes_after: of the graph's file.
        openvino, onnxruntime: the cost.
    """

    method: Text
    source: Text
    source_sha256: Sha256
    manifest_sha256: Sha256
    n_ranges: Annotated[int, Field(ge=1)]
    n_real: Count
    n_fake: Count
    n_groups: Count
    bytes_before: Annotated[int, Field(ge=1)]
    bytes_after: Annotated[int, Field(ge=1)]
    openvino: Cost
    onnxruntime: Cost


class BundleContract(_Strict):
    """Everything ``bundle.json`` says."""

    schema_version: Literal[2]
    name: Name
    version: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)*$")]
    architecture: Architecture
    judges: Literal["face", "image"]
    labels: dict[str, int]
    preprocess: Preprocess
    calibration: Annotated[Calibration | Isotonic, Field(discriminator="method")] | None
    thresholds: Thresholds | None
    band: Band | None
    explanation: Explanation
    training_data: list[TrainingData]
    licences: Licences
    parity: Parity
    quantisation: Quantisation | None
    limits: Annotated[list[Text], Field(min_length=1)]
    files: dict[str, Sha256]

    @model_validator(mode="after")
    def _hangs_together(self) -> BundleContract:
        if self.labels != LABELS:
            raise ValueError(f"labels must be {LABELS} (higher means fake), not {self.labels}")
        if set(self.files) != set(PAYLOAD_FILES):
            raise ValueError(f"files must name exactly {', '.join(PAYLOAD_FILES)}")
        if (self.quantisation is None) != (self.parity.against == "torch"):
            raise ValueError("an int8 graph states its quantisation, and its parity is against float32")
        self._check_rule()
        return self

    def _check_rule(self) -> None:
        if (self.thresholds is None) != (self.band is None):
            raise ValueError("thresholds and band come together or not at all")
        if self.thresholds is not None and self.calibration is None:
            raise ValueError("thresholds are probabilities and need a calibration")
        if self.thresholds is not None and self.band is not None:
            if self.band.upper != self.thresholds.default:
                raise ValueError("the band's upper edge is the default threshold")
            if self.band.lower > self.band.upper:
                raise ValueError("the band's lower edge is above its upper edge")

    @property
    def identifier(self) -> str:
        """``name-version``, which is also the directory's name."""
        return f"{self.name}-{self.version}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read and verified.

    Attributes:
        path: its directory.
        contract: what bundle.json says.
        sha256: of bundle.json, which in turn holds the hashes of all else: it names the bundle's exact content.
    """

    path: Path
    contract: BundleContract
    sha256: str

    @property
    def graph(self) -> Path:
        """The ONNX graph: input (N, 3, S, S) float32; outputs ``logit`` (N,) and ``map`` (N, h, w) float32."""
        return self.path / GRAPH_FILE

    @property
    def card(self) -> str:
        """The card, as Markdown."""
        return (self.path / CARD_FILE).read_text(encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_bundle(path: Path) -> Bundle:
    """Read a bundle's directory and verify every file of it.

    Raises:
        BundleError: no contract, not JSON, another schema, a missing or unknown field, a foreign file.
        BundleIntegrityError: a file is missing or has another sha256 than the contract states.
    """
    contract_path = path / CONTRACT_FILE
    try:
        raw = contract_path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} is no bundle: {CONTRACT_FILE} cannot be read ({error.strerror})") from None
    contract = _parse_contract(raw, path)
    _refuse_foreign_files(path)
    for name, expected in contract.files.items():
        if not (path / name).is_file():
            raise BundleIntegrityError(f"bundle {path} is incomplete: {name} is missing; fetch or export it again")
        found = sha256_of(path / name)
        if found != expected:
            raise BundleIntegrityError(
                f"bundle {path}: {name} was changed or damaged (sha256 {found[:12]}…, the contract states "
                f"{expected[:12]}…); fetch or export it again"
            )
    try:
        (path / CARD_FILE).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BundleError(f"bundle {path}: {CARD_FILE} is not UTF-8 text; export it again") from None
    return Bundle(path, contract, hashlib.sha256(raw).hexdigest())


def _parse_contract(raw: bytes, path: Path) -> BundleContract:
    try:
        data: Any = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BundleError(f"bundle {path}: {CONTRACT_FILE} is not JSON ({error}); fetch or export it again") from None
    if not isinstance(data, dict) or not isinstance(data.get("schema_version"), int):
        raise BundleError(f"bundle {path}: {CONTRACT_FILE} has no schema_version; it was not written by mesoscope")
    if data["schema_version"] != SCHEMA_VERSION:
        what = "upgrade mesoscope" if data["schema_version"] > SCHEMA_VERSION else "export or import it again"
        raise BundleError(
            f"bundle {path} has schema {data['schema_version']}, this program reads schema {SCHEMA_VERSION}: {what}"
        )
    try:
        return BundleContract.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "contract"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise BundleError(
            f"bundle {path}: {CONTRACT_FILE} is not valid: {where}: {first['msg']}{more}; see docs/bundle.md"
        ) from None


def _refuse_foreign_files(path: Path) -> None:
    expected = {CONTRACT_FILE, *PAYLOAD_FILES}
    for entry in sorted(path.iterdir()):
        if entry.suffix.lower() in _UNSAFE_SUFFIXES:
            raise BundleError(
                f"bundle {path} holds {entry.name}: files that can carry code (pickles, checkpoints, scripts) are "
                "refused unread; import the weights with: mesoscope bundle import"
            )
        if entry.name not in expected:
            raise BundleError(f"bundle {path} holds {entry.name}, which is no part of a bundle; remove it")


def user_bundle_directory() -> Path:
    """Where pulled and imported bundles live: ``$MESOSCOPE_HOME/bundles``, or the platform's data directory."""
    home = os.environ.get("MESOSCOPE_HOME")
    base = Path(home) if home else Path(platformdirs.user_data_dir("mesoscope", appauthor=False))
    return base / "bundles"


def packaged_bundle_directory() -> Path:
    """The bundles that come with the package."""
    return Path(str(resources.files("mesoscope") / "bundles"))


def installed_bundles() -> Iterator[Path]:
    """Directories of all installed bundles, the user's before the packaged ones, newest version first."""
    for base in (user_bundle_directory(), packaged_bundle_directory()):
        if base.is_dir():
            found = [entry for entry in base.iterdir() if (entry / CONTRACT_FILE).is_file()]
            found.sort(key=lambda path: _name_and_version(path)[1], reverse=True)
            yield from sorted(found, key=lambda path: _name_and_version(path)[0])


def _name_and_version(path: Path) -> tuple[str, tuple[int, ...]]:
    match = re.fullmatch(r"(.+)-([0-9]+(?:\.[0-9]+)*)", path.name)
    if not match:
        return path.name, ()
    return match[1], tuple(int(part) for part in match[2].split("."))


def find_bundle(name: str) -> Path:
    """The directory of a bundle, by path, by ``name-version``, or by ``name`` (its newest version).

    Installed bundles come first. A path may also be a directory that holds exactly one bundle, as
    `mesoscope bundle import --out` leaves it.

    Raises:
        BundleNotFound: there is none; the message lists what is there.
    """
    installed = list(installed_bundles())
    for path in installed:
        # before the working directory: a folder of somebody's pictures may hold one of that name
        if name in (path.name, _name_and_version(path)[0]):
            return path
    as_path = Path(name)
    if (as_path / CONTRACT_FILE).exists():
        return as_path
    if as_path.is_dir():
        inside = [contract.parent for contract in sorted(as_path.glob(f"*/{CONTRACT_FILE}"))]
        if len(inside) == 1:
            return inside[0]
        what = f"several bundles: {', '.join(str(path) for path in inside)}" if inside else f"no {CONTRACT_FILE}"
        raise BundleNotFound(f"directory {name} is no bundle and holds {what}")
    known = ", ".join(sorted({path.name for path in installed})) or "none"
    raise BundleNotFound(f"no bundle {name!r}: not a directory and not installed (installed: {known})")


def load_bundle(name: str = DEFAULT_BUNDLE) -> Bundle:
    """Find (`find_bundle`) and read (`read_bundle`) a bundle."""
    return read_bundle(find_bundle(name))
