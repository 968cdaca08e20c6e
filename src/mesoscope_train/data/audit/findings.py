"""What an audit says: findings, shortcuts, and the whole, as plain data that survives JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError

SCHEMA_VERSION = 1
Severity = Literal["leak", "warning", "note"]
"""A leak stops a run unless its kind is allowed by name; a warning follows every result; a note is only said."""

LEAKS = ("group", "identity", "duplicate", "near-duplicate")
"""Kinds that are leaks where they cross splits: the same group, the same person, identical pixels, nearly so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes:
        kind: one of `LEAKS`, or ``label-conflict``, ``unreadable``, ``missing``, ``flat``, ``one-class``,
            ``imbalance``, ``duplicate-inside``, ``near-duplicate-inside``, ``source-identity``, ``no-split``,
            ``shortcut``.
        severity: see `Severity`.
        message: one sentence with the numbers, fit for a person.
        count: how many (groups, pairs, files) it concerns.
        examples: the first few, each a list of paths or names that belong together.
    """

    kind: str
    severity: Severity
    message: str
    count: int
    examples: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Shortcut:
    """How well one family of trivial measurements alone tells the label, cross-validated by group.

    Attributes:
        family: ``format``, ``jpeg`` (quality, tables, subsampling), ``size``, ``aspect``, ``bits-per-pixel``,
            ``sharpness``, ``colour``, ``spectrum``, ``video`` (frame rate, length, bitrate).
        auc: area under the ROC curve of the held-out scores, 0.5 = tells nothing.
        low, high: interval bootstrapped by group; 95 % for all families of the audit together.
        rows, groups: on how many it was measured.
        above_bound: whether it is reported as a warning.
        explanation: what tells the classes apart, in words with numbers (medians and middle halves), or None.
    """

    family: str
    auc: float
    low: float
    high: float
    rows: int
    groups: int
    above_bound: bool
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole audit of a manifest.

    Attributes:
        manifest: `Manifest.digest` of what was audited.
        rows: how many.
        readable: how many could be decoded.
        counts: label to split (or ``none``) to rows.
        groups: number of groups.
        findings: leaks first, then warnings, then notes.
        shortcuts: strongest first; empty where the set has one class only (a finding says so).
        bound: AUC from which a shortcut is a warning.
        unreadable: paths of the rows that cannot be decoded; training leaves them out and says so.
    """

    manifest: str
    rows: int
    readable: int
    counts: dict[str, dict[str, int]]
    groups: int
    findings: tuple[Finding, ...]
    shortcuts: tuple[Shortcut, ...]
    bound: float
    unreadable: tuple[str, ...] = ()

    def leaks(self) -> tuple[Finding, ...]:
        """The findings that stop a run."""
        return tuple(finding for finding in self.findings if finding.severity == "leak")

    def warnings(self) -> tuple[Finding, ...]:
        """The findings that follow every result made from this data."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def to_json(self) -> str:
        """As JSON text with its schema version."""
        return json.dumps({"schema": SCHEMA_VERSION, **asdict(self)}, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Audit:
        """Read what `to_json` wrote.

        Raises:
            UsageError: it is no audit, or one of another schema.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            version = raw.pop("schema")
            findings = tuple(
                Finding(**{**entry, "examples": tuple(tuple(example) for example in entry["examples"])})
                for entry in raw.pop("findings")
            )
            shortcuts = tuple(Shortcut(**entry) for entry in raw.pop("shortcuts"))
            raw["unreadable"] = tuple(raw["unreadable"])
            audit = cls(**raw, findings=findings, shortcuts=shortcuts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"this is not the JSON of an audit: {error!r}") from error
        if version != SCHEMA_VERSION:
            raise UsageError(f"the audit has schema {version}; this version of mesoscope reads {SCHEMA_VERSION}")
        return audit

    def write(self, path: Path) -> None:
        """Write the JSON; whole or not at all.

        Raises:
            UsageError: the file cannot be written.
        """
        with replacing(path) as partial, explained(path):
            partial.write_text(self.to_json(), encoding="utf-8")
