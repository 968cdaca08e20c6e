"""Writing bundles, and building a detector again from one."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from mesoscope.bundle import (
    CARD_FILE,
    CONTRACT_FILE,
    GRAPH_FILE,
    LABELS,
    PAYLOAD_FILES,
    SCHEMA_VERSION,
    WEIGHTS_FILE,
    Band,
    Bundle,
    BundleContract,
    Calibration,
    Explanation,
    Licences,
    Thresholds,
    TrainingData,
    read_bundle,
    sha256_of,
)
from mesoscope.errors import BundleError
from mesoscope.preprocess import Preprocess, to_batch
from mesoscope.types import Float32Array
from mesoscope_train.detectors import Detector, build_detector, parse_architecture
from mesoscope_train.graph import export_graph
from mesoscope_train.parity import (
    Floats,
    check_expected,
    check_parity,
    measure_parity,
    reference_of,
    stand_in_inputs,
)
from mesoscope_train.publishing import check_place, publish

LEAST_FLOOR = 1e-6
"""Logit units: what float32 rounds away in a logit is no evidence."""


def export_bundle(
    detector: Detector,
    architecture: str,
    out_dir: Path,
    *,
    name: str,
    version: str,
    judges: Literal["face", "image"],
    preprocess: Preprocess,
    training_data: Sequence[TrainingData],
    licences: Licences,
    limits: Sequence[str],
    card: str,
    calibration: Calibration | None = None,
    thresholds: Thresholds | None = None,
    band: Band | None = None,
    floor: float | None = None,
    parity_inputs: Float32Array | None = None,
    expected: Floats | None = None,
    overwrite: bool = False,
) -> Bundle:
    """Write the bundle ``out_dir/name-version`` as a whole or not at all, and read it back.

    Args:
        detector: the trained module, on any device; left as it is.
        architecture: its name, with options where it was built with some (`parse_architecture`).
        out_dir: made where it is missing.
        name: of the bundle, lower case.
        version: numbers with dots.
        judges: what it is shown.
        preprocess: what it was trained with.
        training_data: every data set that took part.
        licences: of code, data and weights.
        limits: sentences; what it cannot do.
        card: Markdown.
        calibration: fitted on validation data, or None.
        thresholds: chosen on validation data, or None.
        band: with thresholds.
        floor: the map's floor (`mesoscope.bundle.Explanation`); by default `peak_on_nothing`.
        parity_inputs: (N, 3, S, S) float32 to measure parity on; by default noise.
        expected: (N,) logits that another implementation gives on `parity_inputs`; both engines must give the same.
        overwrite: replace a bundle that is already there.

    Raises:
        UsageError: unknown architecture or option, or something is already at the place.
        ExportError: the graph differs from the module (`mesoscope_train.parity.check_parity`) or from `expected`, or
            the module's values are not finite.
        pydantic.ValidationError: the parts do not make a contract.
    """
    parsed = parse_architecture(architecture)
    target = out_dir / f"{name}-{version}"
    check_place(target, overwrite)
    module = copy.deepcopy(detector).cpu().float().eval()
    inputs = stand_in_inputs(preprocess) if parity_inputs is None else parity_inputs
    out_dir.mkdir(parents=True, exist_ok=True)
    # beside the target, so that the last step is a rename within one file system
    with tempfile.TemporaryDirectory(dir=out_dir, prefix=f".{target.name}.") as workshop:
        staged = Path(workshop) / target.name
        _write_payload(staged, module, preprocess.size, card)
        reference = reference_of(module, parsed.map_layer, inputs)
        parity = measure_parity(reference, staged / GRAPH_FILE, inputs)
        check_parity(parity, reference, module, parsed.map_layer, inputs, name=target.name)
        if expected is not None:
            check_expected(expected, staged / GRAPH_FILE, inputs, name=target.name)
        contract = BundleContract(
            schema_version=SCHEMA_VERSION,
            name=name,
            version=version,
            architecture=str(parsed),
            judges=judges,
            labels=LABELS,
            preprocess=preprocess,
            calibration=calibration,
            thresholds=thresholds,
            band=band,
            explanation=Explanation(
                method="grad-cam",
                layer=parsed.map_layer,
                floor=peak_on_nothing(module, preprocess) if floor is None else floor,
            ),
            training_data=list(training_data),
            licences=licences,
            parity=parity,
            quantisation=None,
            limits=list(limits),
            files={file: sha256_of(staged / file) for file in PAYLOAD_FILES},
        )
        (staged / CONTRACT_FILE).write_text(contract.model_dump_json(indent=2) + "\n", encoding="utf-8")
        read_bundle(staged)
        publish(staged, target)
    return read_bundle(target)


def load_module(bundle: Bundle) -> Detector:
    """Build a bundle's registered architecture with the bundle's weights, in eval mode on the CPU.

    Raises:
        UsageError: the architecture is not registered here.
        BundleError: the weights are not safetensors, or not those of the architecture.
    """
    architecture = bundle.contract.architecture
    module = build_detector(architecture)
    try:
        module.load_state_dict(load_file(bundle.path / WEIGHTS_FILE))
    except SafetensorError as error:
        raise BundleError(f"bundle {bundle.path}: {WEIGHTS_FILE} is not a safetensors file ({error})") from None
    except RuntimeError as error:
        raise BundleError(
            f"bundle {bundle.path}: {WEIGHTS_FILE} does not fit the architecture {architecture!r} of this version: "
            f"{str(error).splitlines()[-1].strip()}"
        ) from None
    return module.eval()


def _write_payload(staged: Path, module: Detector, size: int, card: str) -> None:
    staged.mkdir()
    (staged / GRAPH_FILE).write_bytes(export_graph(module, size))
    state = {key: value.contiguous() for key, value in module.state_dict().items()}
    (staged / WEIGHTS_FILE).write_bytes(save(state))
    (staged / CARD_FILE).write_text(card, encoding="utf-8")


def peak_on_nothing(module: Detector, preprocess: Preprocess) -> float:
    """The largest absolute value of the map on a picture that is the same middle grey everywhere.

    Nothing can be seen in it, so whatever the map shows there is no evidence: a face whose map peaks lower has
    none either. (Black and white will not do: so far from any face, networks answer with conviction.) A network whose
    units are all dead, as a training that failed leaves it, has a map of zeros; its floor is `LEAST_FLOOR`.
    """
    grey = np.full((preprocess.size, preprocess.size, 3), 127, np.uint8)
    with torch.no_grad():
        _, maps = module.forward_with_map(torch.from_numpy(to_batch([grey], preprocess)))
    return max(float(maps.abs().max()), LEAST_FLOOR)
