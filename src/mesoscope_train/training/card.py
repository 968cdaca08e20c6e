"""The card and the limits of a bundle that came from a run: what it saw, how it was made, where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesoscope.bundle import TrainingData
from mesoscope_train.calibration.card import NOT_CALIBRATED, calibration_section
from mesoscope_train.calibration.deciding import Decided
from mesoscope_train.recipes import as_yaml
from mesoscope_train.recipes.settings import Recipe
from mesoscope_train.svm.card import svm_section
from mesoscope_train.training.run import Run

GENERAL_LIMIT = (
    "It was measured only on pictures of the kind it was trained on; on others its error rates are not the stated "
    "ones."
)
BLENDED_LIMIT = (
    "Its fakes were blended of real faces: it looks for what face swaps leave behind, and faces that were generated "
    "as a whole have nothing of it."
)
BALANCED_LIMIT = "The calibrated probability assumes as many fakes as reals; where fakes are rare, it is too high."


def limits_of(run: Run, recipe: Recipe, not_calibrated: str | None = None) -> list[str]:
    """Sentences; the most important first. Warnings of the audit and leaks that were allowed follow the bundle.

    Args:
        run: whose data have faults.
        recipe: of the run.
        not_calibrated: why the bundle has no calibration, where it has none.
    """
    facts = run.facts("data")
    first = ["It comes from a smoke test (--fast) and is not fit for use."] if recipe.fast else []
    leaks = [f"A leak was allowed in its data: {leak}" for leak in facts.get("leaks", ())]
    warnings = [f"Its data have a fault: {warning}" for warning in facts.get("warnings", ())]
    last = f"{NOT_CALIBRATED}: {not_calibrated}." if not_calibrated else BALANCED_LIMIT
    blended = [BLENDED_LIMIT] if recipe.blend else []
    return [*first, *leaks, *warnings, GENERAL_LIMIT, *blended, last]


def card_of(
    run: Run, recipe: Recipe, identifier: str, decided: Decided | str, training_data: Sequence[TrainingData]
) -> str:
    """Markdown.

    Args:
        run: whose network it is.
        recipe: of the run.
        identifier: name-version of the bundle.
        decided: calibration, thresholds and band, or the reason why the bundle has none.
        training_data: every data set that took part, with its terms.
    """
    facts, result = run.facts("data"), run.facts("result")
    sessions = run.facts("environment").get("sessions", [])
    svm = f"{svm_section(run.facts('svm'))}\n" if recipe.svm is not None else ""
    failed = decided if isinstance(decided, str) else None
    limits = "\n".join(f"* {limit}" for limit in limits_of(run, recipe, failed))
    commands = "\n".join(session["command"] for session in sessions)
    saw = "\n".join(f"| {data.name} | {data.n_real:,} | {data.n_fake:,} | {data.terms} |" for data in training_data)
    return f"""# {identifier}

{recipe.about}

## What it saw

| data set, its training part | real | fake | terms |
|---|---|---|---|
{saw}

| part | real | fake | groups |
|---|---|---|---|
{_part("training", facts.get("train", {}))}
{_part("validation", facts.get("validation", {}))}

Manifest sha256 `{facts.get("manifest_sha256", "unknown")}`. First weights: {_origin(facts["first_weights"])}.

## Validation

{_epoch(result, recipe)}; no test picture took part in training or in any choice.

{svm}{calibration_section(decided)}
## Limits

{limits}

## How it was made

{_made_on(sessions)}

```text
{commands}
```

```yaml
{as_yaml(recipe).rstrip()}
```
"""


def _made_on(sessions: list[dict[str, Any]]) -> str:
    """Commits and machines, each once."""
    commits = dict.fromkeys(f"`{session['commit']}`" for session in sessions if session["commit"])
    machines = dict.fromkeys(
        ", ".join([*session["machine"]["gpus"], f"{session['machine']['processors']} processor cores"])
        for session in sessions
    )
    return f"Commit {', '.join(commits) or 'unknown'}; on {'; '.join(machines)}."


def _epoch(result: dict[str, Any], recipe: Recipe) -> str:
    figures = f"loss {result['val_loss']:.4f}, accuracy {result['val_accuracy']:.4f},\nAUC {result['val_auc']:.4f}"
    if not result["epoch"]:
        return f"The network was kept as its first weights are: {figures}"
    return (
        f"Best epoch by `val_{recipe.loop.monitor}`: {figures}. The epoch was chosen on these very pictures, so the "
        "figures are\nhopeful"
    )


def _part(name: str, counts: dict[str, int]) -> str:
    return f"| {name} | {counts.get('real', 0):,} | {counts.get('fake', 0):,} | {counts.get('groups', 0):,} |"


def _origin(record: dict[str, object]) -> str:
    head = "" if record["head"] == "loaded" else "; the head started at random"
    digest = f" (sha256 `{record['sha256']}`)" if record["sha256"] else ""
    return f"{record['source']}{digest}, {record['loaded']} tensors{head}" if record["loaded"] else "random"
