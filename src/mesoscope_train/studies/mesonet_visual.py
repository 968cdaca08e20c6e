"""Study 1: Meso-4 with its published weights, and what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mesoscope_train.studies import building
from mesoscope_train.studies.plan import (
    SOME_UNANSWERED,
    Claim,
    Exhibit,
    Inputs,
    Looked,
    Source,
    Step,
    Study,
    register,
)

MESO4, MESOINCEPTION = "mesonet-meso4-df", "mesonet-mesoinception4-df"
_WEIGHTS = {
    MESO4: "Meso4_DF.h5",
    "mesonet-meso4-f2f": "Meso4_F2F.h5",
    MESOINCEPTION: "MesoInception_DF.h5",
    "mesonet-mesoinception4-f2f": "MesoInception_F2F.h5",
}
_PUBLISHED = "evaluation-published"
_PART = "published: 7,104 crops of the authors' validation set; here: the part of it that is at hand"
_EDITING = (
    Exhibit("editing", "editing/figures/parts-either-way.png", "How well the maps find the edited parts of a face"),
    Exhibit("editing", "editing", "Maps and edited parts", "link"),
)


def _plan(inputs: Inputs) -> Sequence[Step]:
    weights = f"{inputs.folder('weights')}/weights" if inputs.has("weights") else ""
    manifests = ["mesonet", *(["ciplab"] if inputs.has("ciplab") else [])]
    steps = [
        *building.imports(inputs, "mesonet", "mesonet"),
        *(building.imports(inputs, "ciplab", "ciplab") if inputs.has("ciplab") else ()),
        *(building.audit(name, f"import-{name}") for name in manifests),
        *(building.explore(name, f"audit-{name}") for name in manifests),
        *(building.published(file, name, weights) for name, file in _WEIGHTS.items() if weights),
        building.split("mesonet", "import-mesonet", "70:20:10", "mesonet-split", "--ignore-official"),
        *building.trained(inputs, "meso4", "mesonet-visual", "mesonet-split", "split-mesonet-split"),
    ]
    if inputs.has("weights"):
        made = [f"import-{name}" for name in (*_WEIGHTS, *manifests)]
        slices = ("--slice", "difficulty") if inputs.has("ciplab") else ()
        steps += [
            building.evaluate("published", list(_WEIGHTS), manifests, made, "--split", "all", *slices),
            building.evaluate(
                "test-part",
                ["meso4", MESO4],
                ["mesonet-split"],
                ["export-meso4", "split-mesonet-split", f"import-{MESO4}"],
            ),
            *_understood(inputs),
        ]
    return steps


def _understood(inputs: Inputs) -> list[Step]:
    """The document, the means and the edited parts, with the published Meso-4."""
    bundle = ("--bundle", f"bundles/{MESO4}-1")
    pictures = _samples(inputs.found["mesonet"], 2 if inputs.fast else 12)
    needs = ("import-mesonet", f"import-{MESO4}")
    few = ("--pictures", str(building.FAST_ROWS)) if inputs.fast else ()
    finder = building.yunet(inputs)
    steps = [
        Step(
            name="explain",
            title="A page a picture: feature maps and Grad-CAM",
            command=(
                *("explain", *pictures, "--manifest", "mesonet.parquet", "--faces", "none", "--colours", "jet"),
                *(*bundle, "--out", "explained"),
            ),
            makes=("explained",),
            needs=needs,
            codes=SOME_UNANSWERED,
        ),
        Step(
            name="means",
            title="Mean maps and mean feature maps by class and by outcome",
            command=(
                *("understand", "means", *bundle, "--manifest", "mesonet.parquet", "--by", "label,outcome", *few),
                *(*(finder or ("--align", "none")), "--out", "means"),
            ),
            makes=("means",),
            needs=needs,
            codes=SOME_UNANSWERED,
        ),
    ]
    if inputs.has("ciplab") and finder:
        steps.append(
            Step(
                name="editing",
                title="How much of the map lies on the edited parts",
                command=(
                    "understand",
                    "editing",
                    *bundle,
                    "--manifest",
                    "ciplab.parquet",
                    *finder,
                    "--out",
                    "editing",
                ),
                makes=("editing",),
                needs=("import-ciplab", f"import-{MESO4}"),
                codes=SOME_UNANSWERED,
            )
        )
    return steps


def _samples(folder: Path, count: int) -> list[str]:
    """`count` crops of each class, evenly over the names, so that they are of different videos."""
    chosen = []
    for label in ("fake", "real"):
        files = sorted(path for path in (folder / label).iterdir() if path.is_file())
        chosen += [str(files[number * len(files) // count]) for number in range(min(count, len(files)))]
    return chosen


def _edits(inputs: Inputs) -> bool:
    return inputs.has("weights", "ciplab") and bool(building.yunet(inputs))


def _claims(inputs: Inputs) -> Sequence[Claim]:
    def at(bundle: str, metric: str, manifest: str = "mesonet") -> Looked:
        return Looked("evaluate-published", f"{_PUBLISHED}/metrics.json", bundle, manifest, metric)

    if not inputs.has("weights"):
        return []
    claims = [
        Claim("Meso-4 _DF, forged faces found", "0.882", at(MESO4, "accuracy_fake"), _PART),
        Claim("Meso-4 _DF, real faces kept", "0.901", at(MESO4, "accuracy_real"), _PART),
        Claim("Meso-4 _DF, accuracy", "0.891", at(MESO4, "accuracy"), _PART),
        Claim("MesoInception-4 _DF, forged faces found", "0.934", at(MESOINCEPTION, "accuracy_fake"), _PART),
        Claim("MesoInception-4 _DF, real faces kept", "0.900", at(MESOINCEPTION, "accuracy_real"), _PART),
        Claim("MesoInception-4 _DF, accuracy", "0.917", at(MESOINCEPTION, "accuracy"), _PART),
    ]
    if inputs.has("ciplab"):
        claims.append(
            Claim(
                "Photoshopped faces: accuracy falls with difficulty (no figure stated)",
                "plotted per difficulty",
                at(MESO4, "auc", "ciplab"),
                "weights made for swaps in videos do not see retouched photographs: near 0.5 nothing can fall",
            )
        )
    return claims


def _exhibits(inputs: Inputs) -> Sequence[Exhibit]:
    own = [
        Exhibit("explore-mesonet", "data-mesonet", "MesoNet's crops on a page", "link"),
        Exhibit("train-meso4", "runs/meso4/curves.png", "Our Meso-4: loss, accuracy and AUC by epoch"),
    ]
    if not inputs.has("weights"):
        return own
    return [
        *own,
        *building.figures("published", "mesonet"),
        *building.figures("test-part", "mesonet-split"),
        Exhibit(
            "evaluate-published",
            f"{_PUBLISHED}/figures/slice-ciplab-difficulty.png",
            "Photoshopped faces: accuracy by difficulty",
        ),
        Exhibit("explain", "explained/*.png", f"Where {MESO4} looks in single faces", "strip"),
        Exhibit("explain", "explained", "A page a picture: feature maps and Grad-CAM", "link"),
        Exhibit("means", "means/figures/outcome-maps.png", f"Where {MESO4} looks on average, by outcome"),
        Exhibit("means", "means/figures/regions-mass.png", "The share of the maps on each part of the face"),
        Exhibit("means", "means/figures/label-layers-1.png", "Mean feature maps of its layers, by label"),
        Exhibit("means", "means", "All means and differences", "link"),
        *(_EDITING if _edits(inputs) else ()),
    ]


register(
    Study(
        name="mesonet-visual",
        number=1,
        title="Meso-4, and what it looks at",
        question=(
            "How well do the published Meso-4 weights tell deepfake faces from real ones, and where in the face do "
            "they look?"
        ),
        sources=(
            Source("mesonet", "mesonet-faces", ("fake", "real"), "face crops of the MesoNet authors"),
            Source("weights", "mesonet-weights", ("weights",), "the published weights (.h5)", required=False),
            Source("yunet", "yunet", (), "the face finder that gives landmarks", required=False),
            Source(
                "ciplab", "ciplab-faces", ("labels.csv",),
                "crops of the 'real and fake face detection' set with its difficulty", required=False,
            ),
        ),
        own_data="MesoNet's face crops, of which a part is used here, and the photoshopped faces, here as crops.",
        plan=_plan,
        claims=_claims,
        exhibits=_exhibits,
    )
)  # fmt: skip
