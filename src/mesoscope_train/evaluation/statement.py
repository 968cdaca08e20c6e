"""What a bundle's card should say of an evaluation: a Markdown section, ready to be pasted (and shipped with it)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope_train.evaluation.metrics_schema import Metric, Metrics, Reading
from mesoscope_train.evaluation.scores import ScoresFacts

_COLUMNS = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "false_positive_rate": "reals called fake",
    "accuracy_fake": "fakes found",
}


def write_statements(metrics: Metrics, facts: ScoresFacts, folder: Path) -> list[Path]:
    """Write ``NAME.md`` for each bundle.

    Raises:
        UsageError: the folder cannot be written.
    """
    make_directory(folder)
    written = []
    for bundle in metrics.bundles:
        path = folder / f"{bundle.name}.md"
        with replacing(path) as partial, explained(path):
            partial.write_text(statement(metrics, facts, bundle.name), encoding="utf-8")
        written.append(path)
    return written


def statement(metrics: Metrics, facts: ScoresFacts, bundle: str) -> str:
    """The section of one bundle."""
    found = next(one for one in metrics.bundles if one.name == bundle)
    rows = "\n".join(_rows(metrics, facts, bundle))
    cautions = [one for one in metrics.warnings if one.bundle in (bundle, None)]
    known = "\n".join(f"* {one.message}" for one in cautions)
    level = f"{metrics.settings.level:.0%}"
    return f"""## Evaluated on {facts.date[:10]}

Contract sha256 `{found.sha256}`, threshold {found.threshold:.4f}. Pictures as they lie on disk;
intervals are {level}, bootstrapped by group.

| manifest | part | real | fake | without answer | inconclusive | {" | ".join(_COLUMNS.values())} |
|---|---|---|---|---|---|{"---|" * len(_COLUMNS)}
{rows}

{known}

```text
{facts.command}
```
""".replace("\n\n\n\n", "\n\n")


def _rows(metrics: Metrics, facts: ScoresFacts, bundle: str) -> Iterator[str]:
    for reading in metrics.find(bundle=bundle, tier="clean", unit="picture", slice=None):
        manifest = next(one for one in metrics.manifests if one.name == reading.manifest)
        part = facts.parts.get(reading.manifest, "")
        counts = reading.counts
        without = counts.total - counts.answered_real - counts.answered_fake
        undecided = counts.inconclusive_real + counts.inconclusive_fake
        cells = [
            f"{reading.manifest} (`{manifest.sha256[:12]}`)",
            part + (", again" if manifest.again else ""),
            f"{counts.real:,}",
            f"{counts.fake:,}",
            f"{without:,}",
            f"{undecided:,}",
            *(_cell(reading, name) for name in _COLUMNS),
        ]
        yield f"| {' | '.join(cells)} |"


def _cell(reading: Reading, name: str) -> str:
    found = reading.metrics.get(name)
    if not isinstance(found, Metric):
        return "–"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} ({found.low:.3f}–{found.high:.3f})"
