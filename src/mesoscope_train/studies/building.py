"""Steps that several studies share, each an ordinary command with the names a study's directory gives its files."""

from __future__ import annotations

from collections.abc import Sequence

from mesoscope_train.studies.plan import LEAKS_ARE_TOLD, SOME_UNANSWERED, Exhibit, Inputs, Step

FAST_ROWS = 120
"""Pictures of each manifest in a smoke test."""
NO_IMAGENET = (
    "it needs ImageNet weights, which timm downloads; ask for them with --imagenet, or run the command where they are"
)


def imports(inputs: Inputs, role: str, layout: str, *more: str, even: bool = True) -> list[Step]:
    """Import a source as ``ROLE.parquet``; a smoke test takes a few rows of it.

    Args:
        inputs: what the user gave.
        role: of the source.
        layout: for ``--format``.
        more: further words of the command.
        even: whether the few rows of a smoke test are as many fakes as reals (false where one class is missing).
    """
    command = ("data", "import", "--format", layout, inputs.folder(role), *more)
    if not inputs.fast:
        return [_import(role, f"{role}.parquet", command)]
    whole = f"{role}-all.parquet"
    how = ("--even", "--total", str(FAST_ROWS)) if even else ("--per-class", str(FAST_ROWS // 2))
    few = ("data", "sample", whole, *how)
    return [
        _import(f"{role}-all", whole, command),
        Step(
            name=f"import-{role}",
            title=f"Take a few rows of {role}",
            command=(*few, "--out", f"{role}.parquet"),
            makes=(f"{role}.parquet",),
            needs=(f"import-{role}-all",),
        ),
    ]


def _import(name: str, made: str, command: tuple[str, ...]) -> Step:
    return Step(name=f"import-{name}", title=f"List {name}", command=(*command, "--out", made), makes=(made,))


def audit(name: str, needs: str, *, join: str | None = None) -> Step:
    """Audit ``NAME.parquet``; with `join`, write a manifest whose groups are united over copies."""
    joined = ("--join-duplicates", f"{join}.parquet") if join else ()
    return Step(
        name=f"audit-{name}",
        title=f"Audit {name}: leaks, duplicates, shortcuts",
        command=("data", "audit", f"{name}.parquet", *joined, "--force"),
        makes=(f"{name}.audit.json", *((f"{join}.parquet",) if join else ())),
        needs=(needs,),
        codes=LEAKS_ARE_TOLD,
    )


def split(name: str, needs: str, fractions: str, out: str, *more: str) -> Step:
    """Split ``NAME.parquet`` by group into ``OUT.parquet``."""
    return Step(
        name=f"split-{out}",
        title=f"Split {name} by group, {fractions}",
        command=("data", "split", f"{name}.parquet", "--fractions", fractions, *more, "--out", f"{out}.parquet"),
        makes=(f"{out}.parquet",),
        needs=(needs,),
    )


def merge(names: Sequence[str], out: str) -> Step:
    """Merge manifests into ``OUT.parquet``."""
    return Step(
        name=f"merge-{out}",
        title=f"Merge {', '.join(names)}",
        command=("data", "merge", *(f"{name}.parquet" for name in names), "--out", f"{out}.parquet"),
        makes=(f"{out}.parquet",),
        needs=tuple(f"import-{name}" for name in names),
    )


def explore(name: str, needs: str, *more: str) -> Step:
    """A page of the data set."""
    return Step(
        name=f"explore-{name}",
        title=f"Show {name} on a page",
        command=("data", "explore", f"{name}.parquet", *more, "--out", f"data-{name}"),
        makes=(f"data-{name}",),
        needs=(needs,),
        codes=LEAKS_ARE_TOLD,
    )


def by_frame(name: str, needs: str, root: str, out: str) -> list[Step]:
    """The published way to split: every picture its own group, so that one video stands on both sides."""
    return [
        Step(
            name=f"ungroup-{name}",
            title=f"Forget the groups of {name}, as the published split does",
            command=(
                "data", "import", "--format", "table", root, "--table", f"{name}.parquet", "--column", "path=path",
                "--column", "label=label", "--column", "group=path", "--column", "dataset=dataset",
                "--out", f"{name}-ungrouped.parquet",
            ),
            makes=(f"{name}-ungrouped.parquet",),
            needs=(needs,),
        ),
        Step(
            name=f"split-{out}",
            title=f"Split {name} at random by picture",
            command=("data", "split", f"{name}-ungrouped.parquet", "--ignore-official", "--out", f"{out}.parquet"),
            makes=(f"{out}.parquet",),
            needs=(f"ungroup-{name}",),
        ),
    ]  # fmt: skip


def train(
    inputs: Inputs, run: str, recipe: str, manifest: str, needs: str, *more: str, imagenet: bool = False
) -> Step:
    """Train a recipe on ``MANIFEST.parquet`` into ``runs/RUN``.

    Args:
        inputs: what the user gave.
        run: name of the run.
        recipe: NAME or NAME:VARIANT.
        manifest: with a split.
        needs: the step that made it.
        more: further words of the command.
        imagenet: whether the recipe needs ImageNet weights; without `Inputs.imagenet` the step is not run.
    """
    where = f"runs/{run}"
    fast = ("--fast",) if inputs.fast else ()
    command = ("train", "--recipe", recipe, "--manifest", f"{manifest}.parquet", *more, *fast, "--out", where)
    return Step(
        name=f"train-{run}",
        title=f"Train {recipe}",
        command=command,
        makes=(f"{where}/recipe.yaml", f"{where}/result.json", where),
        needs=(needs,),
        resume=("train", "--resume", where),
        not_here=NO_IMAGENET if imagenet and not inputs.imagenet else None,
    )


def export(run: str) -> Step:
    """The run as a bundle of the same name."""
    return Step(
        name=f"export-{run}",
        title=f"Make a bundle of {run}",
        command=("bundle", "export", f"runs/{run}", "--out", "bundles", "--name", run),
        makes=(f"bundles/{run}-1",),
        needs=(f"train-{run}",),
    )


def trained(
    inputs: Inputs, run: str, recipe: str, manifest: str, needs: str, *more: str, imagenet: bool = False
) -> list[Step]:
    """`train` and `export`."""
    return [train(inputs, run, recipe, manifest, needs, *more, imagenet=imagenet), export(run)]


def published(file: str, name: str, weights: str) -> Step:
    """Published MesoNet weights as a bundle.

    Args:
        file: name of the ``.h5`` file.
        name: of the bundle that the import makes, without its version.
        weights: folder that holds the file.
    """
    return Step(
        name=f"import-{name}",
        title=f"Turn the published weights {file} into a bundle",
        command=("bundle", "import", "--format", "mesonet", f"{weights}/{file}", "--out", "bundles"),
        makes=(f"bundles/{name}-1",),
    )


def evaluate(name: str, bundles: Sequence[str], manifests: Sequence[str], needs: Sequence[str], *more: str) -> Step:
    """Evaluate bundles on manifests into ``evaluation-NAME``; those that could not be exported are left out.

    With ``--again``: a study that is run once more, or in part, looks at the same test part, and the page says so.

    Args:
        name: of the evaluation.
        bundles: names without versions; installed ones (``mesoscope-face``) stay names.
        manifests: names of the files without suffix.
        needs: steps that made them.
        more: further words of the command.
    """
    where = f"evaluation-{name}"
    words: list[str] = []
    spares = []
    for bundle in bundles:
        named = ("--bundle", bundle if bundle.startswith("mesoscope-") else f"bundles/{bundle}-1")
        words += named
        if f"export-{bundle}" in needs:
            spares.append((f"export-{bundle}", named))
    for manifest in manifests:
        words += ["--manifest", f"{manifest}.parquet"]
    command = ("evaluate", *words, *more, "--again", "--out", where)
    return Step(
        name=f"evaluate-{name}",
        title=f"Evaluate {', '.join(bundles)} on {', '.join(manifests)}",
        command=command,
        makes=(where, f"{where}/metrics.json"),
        needs=tuple(needs),
        spares=tuple(spares),
        codes=SOME_UNANSWERED,
        resume=command,
    )


def means(inputs: Inputs, run: str, manifest: str) -> Step:
    """Where a run's bundle looks in the test part, as mean maps by outcome into ``means-RUN``."""
    few = ("--pictures", str(FAST_ROWS)) if inputs.fast else ()
    return Step(
        name=f"means-{run}",
        title=f"Where {run} looks: mean maps of the test part by outcome",
        command=(
            *("understand", "means", "--bundle", f"bundles/{run}-1", "--manifest", f"{manifest}.parquet"),
            *("--split", "test", "--by", "outcome", "--align", "none", "--maps-only", *few, "--out", f"means-{run}"),
        ),
        makes=(f"means-{run}",),
        needs=(f"split-{manifest}", f"export-{run}"),
        codes=SOME_UNANSWERED,
    )


def mean_maps(run: str) -> Exhibit:
    """What `means` shows first."""
    return Exhibit(
        f"means-{run}",
        f"means-{run}/figures/outcome-maps.png",
        f"Where {run} looks on average, by outcome: blue speaks for real, red for fake",
    )


def yunet(inputs: Inputs) -> tuple[str, ...]:
    """Words that name YuNet's model file where the user's data hold one; none otherwise."""
    models = sorted(inputs.found["yunet"].glob("*.onnx")) if inputs.has("yunet") else []
    return ("--faces", "yunet", "--face-model", str(models[0])) if models else ()


def figures(evaluation: str, manifest: str) -> list[Exhibit]:
    """The figures of an evaluation that every study shows, and the page with all of them."""
    where, step = f"evaluation-{evaluation}", f"evaluate-{evaluation}"
    return [
        Exhibit(step, f"{where}/figures/roc-{manifest}.png", f"ROC on {manifest}"),
        Exhibit(step, f"{where}/figures/confusion-{manifest}.png", f"Confusion matrix on {manifest}"),
        Exhibit(step, where, f"All numbers and figures: {manifest}", "link"),
    ]
