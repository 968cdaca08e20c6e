"""Study 2: five CNNs, photographs against GAN faces."""

from __future__ import annotations

from collections.abc import Sequence

from mesoscope_train.studies import building
from mesoscope_train.studies.plan import Claim, Exhibit, Inputs, Looked, Source, Step, Study, register

_SCRATCH = ("cnn-1", "cnn-2")
_TRANSFER = ("densenet121", "xception", "resnet50")
_SETS = ("stylegan", "portraits", "sd3")
_WHERE = "evaluation-five"
_SMALL = "the study: 20,000 photographs of CelebA and StyleGAN faces; here some hundreds of other pictures"


def _plan(inputs: Inputs) -> Sequence[Step]:
    steps: list[Step] = []
    if inputs.has("celeba"):
        steps += building.imports(inputs, "celeba", "celeba-gan", "--label", "stylegan=fake")
        names = ["celeba"]
    else:
        for role in _SETS:
            if inputs.has(role):
                steps += building.imports(inputs, role, "folders", even=role == "stylegan")
        names = [role for role in _SETS if inputs.has(role)]
    runs = [*_SCRATCH, *(_TRANSFER if inputs.imagenet else ())]
    steps += [
        building.merge(names, "gan-faces"),
        building.audit("gan-faces", "merge-gan-faces", join="gan-faces-joined"),
        building.explore("gan-faces", "audit-gan-faces", "--recipe", "gan-faces:cnn-1"),
        building.split("gan-faces-joined", "audit-gan-faces", "60:20:20", "gan-faces-split"),
    ]
    for network in (*_SCRATCH, *_TRANSFER):
        steps += building.trained(
            inputs, network, f"gan-faces:{network}", "gan-faces-split", "split-gan-faces-split",
            imagenet=network in _TRANSFER,
        )  # fmt: skip
    steps += [
        Step(
            name="compare",
            title="The five networks side by side",
            command=("compare", *(f"runs/{run}" for run in runs), "--figure", "compared.png"),
            makes=("compared.png",),
            needs=tuple(f"train-{run}" for run in runs),
        ),
        building.evaluate(
            "five",
            runs,
            ["gan-faces-split"],
            ["split-gan-faces-split", *(f"export-{run}" for run in runs)],
            "--slice",
            "dataset",
        ),
        building.means(inputs, "cnn-1", "gan-faces-split"),
    ]
    return steps


def _claims(inputs: Inputs) -> Sequence[Claim]:
    def auc(network: str) -> Looked:
        return Looked("evaluate-five", f"{_WHERE}/metrics.json", network, "gan-faces-split", "auc")

    claimed = {
        "densenet121": "best of the five",
        "xception": "between the two",
        "resnet50": "worst by far",
        "cnn-1": "between the two",
        "cnn-2": "between the two",
    }
    return [
        *(Claim(f"{name}: AUC on the test part", claimed[name], auc(name), _SMALL) for name in claimed),
        Claim(
            "seconds an epoch",
            "about 600 for each, of 16,000 pictures; Xception the fastest",
            None,
            "another machine and another number of pictures",
            finding="in the table of networks, with the pictures a second",
        ),
    ]


def _exhibits(inputs: Inputs) -> Sequence[Exhibit]:
    return [
        Exhibit("explore-gan-faces", "data-gan-faces", "The merged set on a page", "link"),
        Exhibit("compare", "compared.png", "Validation loss and AUC by epoch; parameters against seconds an epoch"),
        *building.figures("five", "gan-faces-split"),
        building.mean_maps("cnn-1"),
    ]


register(
    Study(
        name="gan-faces",
        number=2,
        title="Five CNNs, photographs against GAN faces",
        question="Which of five networks tells photographs of faces from faces that a GAN made, and at what cost?",
        sources=(
            Source("celeba", "celeba", ("img_align_celeba", "stylegan"), "CelebA with GAN folders", required=False),
            Source("stylegan", "stylegan2-vs-ffhq", ("fake", "real"), "StyleGAN2 faces and FFHQ photographs"),
            Source("portraits", "portraits", ("real",), "portraits of public officials", required=False),
            Source("sd3", "sd3-portraits", ("fake",), "Stable Diffusion 3 portraits", required=False),
        ),
        own_data=(
            "CelebA and a million StyleGAN faces are not at hand. What is used here is small, and it is not CelebA: "
            "StyleGAN2 faces and FFHQ photographs, official portraits, and diffusion portraits. The sets differ in "
            "more than the label, which the audit shows."
        ),
        plan=_plan,
        claims=_claims,
        exhibits=_exhibits,
    )
)
