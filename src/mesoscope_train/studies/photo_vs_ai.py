"""Study 4: AI-made against human-made pictures."""

from __future__ import annotations

from collections.abc import Sequence

from mesoscope_train.evaluation.metrics_schema import CATALOGUE
from mesoscope_train.studies import building
from mesoscope_train.studies.plan import Claim, Exhibit, Inputs, Looked, Source, Step, Study, register

_RUNS = {"cnn-small": False, "resnet50": True}
_WHERE = "evaluation-pictures"
_SMALL = "the study: ResNet-50 with ImageNet weights on 720,000 pictures; here some hundreds, and what could be run"


def _plan(inputs: Inputs) -> Sequence[Step]:
    role, layout, *more = (
        ("ai-human", "ai-human") if inputs.has("ai-human") else ("photo-vs-ai", "folders", "--subfolders", "category")
    )
    runs = [name for name, imagenet in _RUNS.items() if inputs.imagenet or not imagenet]
    split = "pictures-split"
    return [
        *building.imports(inputs, role, layout, *more),
        building.audit(role, f"import-{role}", join="pictures"),
        building.explore("pictures", f"audit-{role}", "--recipe", "photo-vs-ai:cnn-small"),
        building.split("pictures", f"audit-{role}", "60:20:20", split, "--stratify", "label,category"),
        *(
            step
            for name, imagenet in _RUNS.items()
            for step in building.trained(
                inputs, name, f"photo-vs-ai:{name}", split, f"split-{split}", imagenet=imagenet
            )
        ),
        building.evaluate(
            "pictures", runs, [split], [f"split-{split}", *(f"export-{run}" for run in runs)], "--slice", "category"
        ),
        building.means(inputs, "cnn-small", split),
    ]


def _claims(inputs: Inputs) -> Sequence[Claim]:
    run = "resnet50" if inputs.imagenet else "cnn-small"

    def of(metric: str) -> Looked:
        return Looked("evaluate-pictures", f"{_WHERE}/metrics.json", run, "pictures-split", metric)

    stated = {
        "accuracy_at_half": "0.9734",
        "accuracy_real": "1.00",
        "accuracy_fake": "0.95",
        "mse_labels": "0.0266",
        "rmse_labels": "0.1632",
        "brier": "not stated",
    }
    return [Claim(f"{run}: {CATALOGUE[metric].title}", value, of(metric), _SMALL) for metric, value in stated.items()]


def _exhibits(inputs: Inputs) -> Sequence[Exhibit]:
    return [
        Exhibit("explore-pictures", "data-pictures", "The set on a page, with augmented samples", "link"),
        *(
            Exhibit(f"train-{run}", f"runs/{run}/curves.png", f"{run}: loss, accuracy and AUC by epoch")
            for run in _RUNS
        ),
        *building.figures("pictures", "pictures-split"),
        Exhibit(
            "evaluate-pictures",
            f"{_WHERE}/figures/slice-pictures-split-category.png",
            "Accuracy by category",
        ),
        building.mean_maps("cnn-small"),
    ]


register(
    Study(
        name="photo-vs-ai",
        number=4,
        title="AI-made against human-made pictures",
        question="Can a ResNet-50 tell pictures that a machine made from pictures that people took?",
        sources=(
            Source(
                "ai-human", "ai-human", ("airplane",), "the twenty categories, by AI and by people", required=False
            ),
            Source("photo-vs-ai", "photo-vs-ai", ("fake", "real"), "photographs and AI pictures in four categories"),
        ),
        own_data=(
            "The 720,000 pictures of twenty categories are not at hand; what is used here is 227 pictures of people, "
            "nature, city and interior."
        ),
        plan=_plan,
        claims=_claims,
        exhibits=_exhibits,
    )
)
