"""What a study is made of: sources of data, steps that are ordinary commands, claims, and things to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mesoscope.registry import Registry

DONE: tuple[int, ...] = (0,)
LEAKS_ARE_TOLD = (0, 1)
"""Of `data audit`: a leak is a finding of the study, no failure of it."""
SOME_UNANSWERED = (0, 3)
"""Of commands that judge pictures: some had no answer; the figures count them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that a study reads.

    Attributes:
        role: what the study's steps call it.
        folder: below the user's data directory.
        holds: files or folders that it must hold to be that set.
        about: what it is, and what of the study's own data it stands for.
        required: without it there is no study.
    """

    role: str
    folder: str
    holds: tuple[str, ...]
    about: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One ordinary command of the program.

    Attributes:
        name: of its record; letters, digits and hyphens.
        title: what it does, in a few words.
        command: what follows ``mesoscope``; paths are relative to the study's directory.
        makes: files and directories that are there once it is done, relative to the study's directory; the first
            tells whether it was begun.
        needs: names of the steps whose outcome it reads.
        spares: of these, those it can do without as long as one of them is there, each with the words of the command
            that are then left out.
        codes: exit codes with which it is done.
        resume: what follows ``mesoscope`` to go on with a step that was interrupted; None to do it again.
        not_here: why it is not run, else None; its command is printed all the same.
    """

    name: str
    title: str
    command: tuple[str, ...]
    makes: tuple[str, ...]
    needs: tuple[str, ...] = ()
    spares: tuple[tuple[str, tuple[str, ...]], ...] = ()
    codes: tuple[int, ...] = DONE
    resume: tuple[str, ...] | None = None
    not_here: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """Where a measured number stands: one metric of one reading of an evaluation.

    Attributes:
        step: that evaluated.
        metrics: its ``metrics.json``, relative to the study's directory.
        bundle, manifest: of the reading; the bundle by its name without version.
        metric: name in `mesoscope_train.evaluation.metrics_schema.CATALOGUE`.
        slice: column and value, or None for the whole manifest.
    """

    step: str
    metrics: str
    bundle: str
    manifest: str
    metric: str
    slice: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What the study says, and where our number for it is.

    Attributes:
        what: the quantity.
        claimed: as the study states it.
        measured: where ours stands; None for a claim in words.
        why: why they differ or may differ.
        finding: what we found of a claim in words; where it was looked at.
    """

    what: str
    claimed: str
    measured: Looked | None
    why: str
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """Something a step made that the page shows.

    Attributes:
        step: that made it.
        file: relative to the study's directory; of a strip a pattern.
        caption: what is to be seen.
        kind: ``picture`` (PNG), ``strip`` (some of the PNGs of a folder, side by side), ``table`` (CSV), or ``link``
            to a page or document of its own.
    """

    step: str
    file: str
    caption: str
    kind: Literal["picture", "strip", "table", "link"] = "picture"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the user gave.

    Attributes:
        data: directory with the sources.
        found: role to folder, of those that are there.
        fast: smoke test.
        imagenet: whether backbones' ImageNet weights may be downloaded.
    """

    data: Path
    found: Mapping[str, Path]
    fast: bool = False
    imagenet: bool = False

    def has(self, *roles: str) -> bool:
        """Whether all of these sources are there."""
        return all(role in self.found for role in roles)

    def folder(self, role: str) -> str:
        """A source's folder as a word of a command."""
        return str(self.found[role])


@dataclass(frozen=True, slots=True)
class Study:
    """One of the studies.

    Attributes:
        name: what `mesoscope study` takes.
        number: 1 to 5.
        title: of the page.
        question: what it asks, in a sentence or two.
        sources: what it reads.
        own_data: the study's own data, and what of it is not at hand.
        plan: the steps for given inputs.
        claims: for given inputs.
        exhibits: in the order of the page.
        sins: what of the published way is shown rather than repeated.
    """

    name: str
    number: int
    title: str
    question: str
    sources: tuple[Source, ...]
    own_data: str
    plan: Callable[[Inputs], Sequence[Step]]
    claims: Callable[[Inputs], Sequence[Claim]]
    exhibits: Callable[[Inputs], Sequence[Exhibit]]
    sins: tuple[str, ...] = field(default=())


studies: Registry[Study] = Registry("study")


def register(study: Study) -> Study:
    """Enter a study."""
    return studies.register(study.name)(study)
