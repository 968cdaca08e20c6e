"""What the card of an int8 copy says of its making and its cost."""

from __future__ import annotations

from collections.abc import Callable

from mesoscope.bundle import Cost, Quantisation, Reading

HEADING = "## Int8 copy"


def int8_section(facts: Quantisation, part: str, command: str, caution: str = "") -> str:
    """Markdown from its heading on, with one newline at the end.

    Args:
        facts: of the contract.
        part: of the manifest that the pictures for the ranges are from.
        command: as typed.
        caution: a sentence about the pictures.
    """
    engines: dict[str, Cost] = {"OpenVINO": facts.openvino, "ONNX Runtime": facts.onnxruntime}
    rows = [
        _row("accuracy, both classes alike", engines, lambda reading: f"{reading.accuracy:.4f}"),
        _row("AUC (95 %, by group)", engines, _auc),
        _row(
            "milliseconds a picture, one thread, fastest run", engines, lambda reading: f"{reading.milliseconds:.2f}"
        ),
    ]
    changes = [
        _changes("largest change of a logit", engines, lambda cost: f"{cost.largest_logit:.3f}"),
        _changes("mean change of a logit", engines, lambda cost: f"{cost.mean_logit:.3f}"),
        _changes("outcomes that stay", engines, lambda cost: f"{cost.same_outcome:.1%}"),
        _changes("maps: median correlation", engines, lambda cost: f"{cost.map_correlation:.3f}"),
        _changes("maps: largest change, of the largest value", engines, lambda cost: f"{cost.largest_map:.1%}"),
    ]
    names = " | ".join(f"{name}, float32 | {name}, int8" for name in engines)
    return f"""{HEADING}

Made from `{facts.source}` (sha256 of its bundle.json `{facts.source_sha256}`) with {facts.method}. The ranges of the
activations are those of {facts.n_ranges:,} pictures of the {part} part of the manifest with sha256
`{facts.manifest_sha256}`; what follows was measured on {facts.n_real:,} real and {facts.n_fake:,} fake pictures
of its validation part, of {facts.n_groups:,} groups, none of which helped to find the ranges. The graph takes
{facts.bytes_after:,} bytes instead of {facts.bytes_before:,}.

    {command}

| | {names} |
|---|{"---|" * (2 * len(engines))}
{chr(10).join(rows)}

| int8 against float32 | {" | ".join(engines)} |
|---|{"---|" * len(engines)}
{chr(10).join(changes)}

{caution}Times are of the machine that made the copy; they compare the two graphs and nothing else.
"""


def _row(what: str, engines: dict[str, Cost], text: Callable[[Reading], str]) -> str:
    cells = [text(reading) for cost in engines.values() for reading in (cost.before, cost.after)]
    return f"| {what} | {' | '.join(cells)} |"


def _changes(what: str, engines: dict[str, Cost], text: Callable[[Cost], str]) -> str:
    return f"| {what} | {' | '.join(text(cost) for cost in engines.values())} |"


def _auc(reading: Reading) -> str:
    if reading.auc_low is None or reading.auc_high is None:
        return f"{reading.auc:.4f}"
    return f"{reading.auc:.4f} ({reading.auc_low:.4f}–{reading.auc_high:.4f})"
