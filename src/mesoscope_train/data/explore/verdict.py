"""The audit in plain words: what stops, what warns, and what was searched where nothing was found."""

from __future__ import annotations

from mesoscope.report.words import plural, visible
from mesoscope_train.data.audit.findings import Audit, Finding
from mesoscope_train.data.explore.content import Box
from mesoscope_train.data.explore.forest import family_name, interval


def boxes(audit: Audit | None, *, split: bool) -> tuple[Box, ...]:
    """The verdict, worst first; a set without an audit gets one box that says so.

    Args:
        audit: None where none was made.
        split: whether the manifest has one.
    """
    if audit is None:
        return (
            Box(
                "note",
                "Not audited",
                ("Nothing is known of leaks and shortcuts: the page was made with --no-audit.",),
            ),
        )
    leaks, warnings = audit.leaks(), audit.warnings()
    found = []
    if leaks:
        title = f"{plural(len(leaks), 'leak', 'leaks')}: what is tested is not apart from what is learned"
        found.append(Box("leak", title, _messages(leaks)))
    if warnings:
        title = f"{plural(len(warnings), 'warning', 'warnings')} that every result made from this data must carry"
        found.append(Box("warning", title, _messages(warnings)))
    if not found:
        found.append(_nothing_found(audit, split=split))
    notes = _messages(tuple(finding for finding in audit.findings if finding.severity == "note"))
    return (*found, *((Box("note", "Also noted", notes),) if notes else ()))


def _nothing_found(audit: Audit, *, split: bool) -> Box:
    """Green only where there was something to search in."""
    words = (f"Searched for {searched(audit, split=split)}",)
    if not audit.shortcuts:
        return Box("note", "Nothing found in the part that could be searched", words)
    return Box("clear", "Nothing found" if split else "Nothing found, but there is no split yet", words)


def searched(audit: Audit, *, split: bool) -> str:
    """What the audit looked for, so that 'nothing' has a meaning; goes on after "searched for"."""
    across = "groups and identities on both sides of the split, " if split else ""
    copies = "identical and nearly identical pictures (re-encoded, resized, mirrored)"
    common = f"{across}{copies}, contradicting labels, files that cannot be read, the balance of the classes"
    if not audit.shortcuts:
        return f"{common}. Shortcuts could not be measured."
    families = ", ".join(family_name(shortcut.family) for shortcut in audit.shortcuts)
    strongest = audit.shortcuts[0]
    return (
        f"{common}, and how well trivial measurements alone ({families}) tell the label: at best "
        f"{family_name(strongest.family)} with an AUC of {interval(strongest)}, where 0.5 tells nothing and "
        f"{audit.bound:g} is the bound."
    )


def sentence(message: str) -> str:
    """A finding's message as a sentence of its own."""
    text = visible(message).strip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _messages(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    return tuple(sentence(finding.message) for finding in findings)
