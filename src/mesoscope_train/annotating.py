"""A bundle whose card and limits say more than they did when it was made. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mesoscope.bundle import Bundle
from mesoscope.errors import UsageError
from mesoscope_train.publishing import write_copy

_HEADING = "## Limits\n\n"
_MADE = "\n## How it was made\n"


def annotate(
    bundle: Bundle, out: Path, *, sections: Sequence[Path] = (), limits: Sequence[str] = (), overwrite: bool = False
) -> Bundle:
    """Write ``out/name-version`` with sections added to the card and sentences to the limits; all else is the same.

    Args:
        bundle: stays as it is, unless `out` is where it lies and `overwrite` is set.
        out: will hold the copy's directory.
        sections: Markdown files, such as the cards of an evaluation; they stand in this order before how the bundle
            was made, or at the end.
        limits: sentences; they come before those that the bundle has, in the contract and in the card's list.
        overwrite: replace a bundle that is already there.

    Raises:
        UsageError: nothing to add, a section that is no text or is in the card already, a limit that is empty or
            known, or a place that is taken.
    """
    if not sections and not limits:
        raise UsageError("nothing to add: give --card FILE or --limit TEXT")
    known = bundle.contract.limits
    for limit in limits:
        if not limit.strip() or limit in known:
            raise UsageError(f"the limit {limit!r} is {'in the bundle already' if limit.strip() else 'empty'}")
    card = _with_limits(bundle.card, limits)
    source = f"Added to the bundle with the contract `{bundle.sha256}`; graph, weights and thresholds are the same."
    for path in sections:
        text = _text_of(path)
        if text in card:
            raise UsageError(f"{path}: the card of {bundle.contract.identifier} says this already")
        head, made, tail = card.partition(_MADE)  # what it can do is read before how it was made
        card = f"{head.rstrip()}\n\n{text}\n\n{source}\n{made}{tail}"
    return write_copy(bundle, out, {"limits": [*limits, *known]}, card, overwrite=overwrite)


def _with_limits(card: str, limits: Sequence[str]) -> str:
    if not limits:
        return card
    lines = "".join(f"* {limit}\n" for limit in limits)
    if _HEADING in card:
        return card.replace(_HEADING, _HEADING + lines, 1)
    return f"{card.rstrip()}\n\n{_HEADING}{lines}"


def _text_of(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text (UTF-8)") from None
    if not text:
        raise UsageError(f"{path} is empty")
    return text
