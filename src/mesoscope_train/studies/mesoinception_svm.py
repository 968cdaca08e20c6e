"""Study 3: MesoInception-4, an SVM on top, benchmarks merged."""

from __future__ import annotations

from collections.abc import Sequence

from mesoscope_train.studies import building
from mesoscope_train.studies.plan import Claim, Exhibit, Inputs, Looked, Source, Step, Study, register

_SETS = {"mesonet": "mesonet", "dfdc": "dfdc-faces", "ciplab": "ciplab"}
_NETS = {"meso4": "meso4", "general": "general", "first-net": "first-net", "second-net": "second-net", "svm": "svm"}
_ACCURACY = "accuracy_at_half"  # the sigmoid at one half, as the studies count
_WHERE, _LEAKED = "evaluation-nets", "evaluation-by-frame"
_SETS_DIFFER = (
    "the study merged FaceForensics++, Celeb-DF v2 and the DFDC preview and split frames at random; here: MesoNet's "
    "crops, DFDC faces and retouched faces, split by video"
)


def _plan(inputs: Inputs) -> Sequence[Step]:
    names = [role for role in _SETS if inputs.has(role)]
    steps: list[Step] = []
    for role in names:
        steps += building.imports(inputs, role, _SETS[role])
    split = "merged-split"
    steps += [
        building.merge(names, "merged"),
        building.audit("merged", "merge-merged", join="merged-joined"),
        building.explore("merged", "audit-merged", "--recipe", "mesoinception-svm"),
        # 10 % off as test, then 20 % of the rest as validation
        building.split("merged-joined", "audit-merged", "72:18:10", split, "--ignore-official"),
    ]
    for run, variant in _NETS.items():
        steps += building.trained(inputs, run, f"mesoinception-svm:{variant}", split, f"split-{split}")
    steps.append(
        building.evaluate(
            "nets",
            list(_NETS),
            [split],
            [f"split-{split}", *(f"export-{run}" for run in _NETS)],
            "--slice",
            "dataset",
        )
    )
    return [*steps, building.means(inputs, "first-net", split), *_leaked(inputs)]


def _leaked(inputs: Inputs) -> list[Step]:
    """The published way to split, to measure by how much it flatters."""
    allowed = ("--allow-leak", "near-duplicate", "--allow-leak", "duplicate", "--allow-leak", "group")
    return [
        *building.by_frame("merged", "merge-merged", str(inputs.data), "by-frame"),
        *building.trained(
            inputs, "first-net-by-frame", "mesoinception-svm:first-net", "by-frame", "split-by-frame", *allowed
        ),
        building.evaluate(
            "by-frame",
            ["first-net-by-frame"],
            ["by-frame"],
            ["split-by-frame", "export-first-net-by-frame"],
            *allowed,
        ),
    ]


def _claims(inputs: Inputs) -> Sequence[Claim]:
    def of(run: str, metric: str) -> Looked:
        return Looked("evaluate-nets", f"{_WHERE}/metrics.json", run, "merged-split", metric)

    leaked = Looked("evaluate-by-frame", f"{_LEAKED}/metrics.json", "first-net-by-frame", "by-frame", _ACCURACY)
    return [
        Claim("First net, test accuracy", "0.9625", of("first-net", _ACCURACY), _SETS_DIFFER),
        Claim(
            "First net, test accuracy, split at random by frame",
            "0.9625 (the public code splits so)",
            leaked,
            "frames of one video stand on both sides: the difference to the row above is what the leak is worth here",
        ),
        Claim("Second net, test accuracy", "0.9079", of("second-net", _ACCURACY), _SETS_DIFFER),
        Claim("Merged set, Meso-4, accuracy", "0.663", of("meso4", _ACCURACY), _SETS_DIFFER),
        Claim("MesoInception-4, AUC", "0.850 to 0.888", of("general", "auc"), _SETS_DIFFER),
        Claim("MesoInception-4 + SVM, accuracy", "about that of the net", of("svm", _ACCURACY), _SETS_DIFFER),
        Claim("MesoInception-4 + SVM, AUC", "0.751 to 0.785, below the net", of("svm", "auc"), _SETS_DIFFER),
    ]


def _exhibits(inputs: Inputs) -> Sequence[Exhibit]:
    return [
        Exhibit("explore-merged", "data-merged", "The merged set on a page, by source", "link"),
        *(
            Exhibit(f"train-{run}", f"runs/{run}/curves.png", f"{run}: loss, accuracy and AUC by epoch")
            for run in _NETS
        ),
        *building.figures("nets", "merged-split"),
        building.mean_maps("first-net"),
        *building.figures("by-frame", "by-frame"),
    ]


register(
    Study(
        name="mesoinception-svm",
        number=3,
        title="MesoInception-4 and an SVM on merged benchmarks",
        question="Does an SVM on the features of MesoInception-4 do better than its own last layer?",
        sources=(
            Source("mesonet", "mesonet-faces", ("fake", "real"), "face crops of the MesoNet authors"),
            Source("dfdc", "dfdc-faces", ("metadata.csv",), "faces of the DFDC", required=False),
            Source("ciplab", "ciplab-faces", ("labels.csv",), "retouched faces", required=False),
        ),
        own_data=(
            "FaceForensics++, Celeb-DF v2 and the DFDC preview are not at hand; the merged set here is of MesoNet's "
            "crops, DFDC faces and retouched faces."
        ),
        plan=_plan,
        claims=_claims,
        exhibits=_exhibits,
        sins=("Frames of one video on both sides of the split: measured as a run of its own, never used.",),
    )
)
