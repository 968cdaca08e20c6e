"""What is merged: manifests by name, the directories of their sets, and sets that get another name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Source:
    """One manifest to be merged.

    Attributes:
        name: what it is called in messages and in `Renaming.source`: its file, as typed.
        manifest: its rows.
    """

    name: str
    manifest: Manifest

    def directories(self) -> dict[str, Path]:
        """Of each set in it: the deepest directory above all its files, links resolved."""
        codes, names = self.manifest.codes("dataset")
        above: list[set[str]] = [set() for _ in names]
        for code, path in zip(codes.tolist(), self.manifest.values("path"), strict=True):
            above[code].add(path.rpartition("/")[0])
        root = self.manifest.root
        return {
            name: (root / os.path.commonpath([f"./{directory}" for directory in directories])).resolve()
            for name, directories in zip(names, above, strict=True)
        }


@dataclass(frozen=True, slots=True)
class Renaming:
    """A set that gets another name.

    Attributes:
        old, new: its name.
        source: the manifest that is meant; None where the name occurs in one only.
    """

    old: str
    new: str
    source: str | None = None

    @classmethod
    def parse(cls, text: str) -> Renaming:
        """Read ``OLD=NEW`` or ``FILE:OLD=NEW``.

        Raises:
            UsageError: it is of neither form.
        """
        left, equals, new = text.rpartition("=")
        source, _, old = left.rpartition(":")
        if not equals or not old or not new:
            raise UsageError(f"--rename {text}: write OLD=NEW, or FILE:OLD=NEW where several manifests have OLD")
        return cls(old, new, source or None)


def renamed(sources: Sequence[Source], renamings: Sequence[Renaming]) -> list[Source]:
    """The manifests with their sets renamed; groups keep their names, since equal groups are the same footage.

    Raises:
        UsageError: no manifest has the set, or several have it and none is named, or the new name is taken there.
    """
    result = list(sources)
    for renaming in renamings:
        places = [
            place
            for place, source in enumerate(result)
            if renaming.old in source.manifest.codes("dataset")[1] and renaming.source in (None, source.name)
        ]
        if len(places) != 1:
            there = "; ".join(f"{source.name}: {', '.join(_sets(source))}" for source in result)
            what = "several manifests have" if places else "no such manifest has"
            raise UsageError(
                f"--rename {renaming.old}={renaming.new}: {what} a set '{renaming.old}' ({there}); "
                "write FILE:OLD=NEW with the file as on the command line"
            )
        source = result[places[0]]
        if renaming.new in _sets(source):
            raise UsageError(f"--rename {renaming.old}={renaming.new}: {source.name} has a set of that name already")
        codes, names = source.manifest.codes("dataset")
        new = np.array([renaming.new if name == renaming.old else name for name in names], object)
        result[places[0]] = replace(source, manifest=source.manifest.with_column("dataset", new[codes].tolist()))
    return result


def refuse_one_name_for_two(sources: Sequence[Source]) -> None:
    """Refuse two sets of one name.

    They are one set where their manifests have one root, or the directory of one holds that of the other.

    Raises:
        UsageError: a name stands for two sets.
    """
    directories = [source.directories() for source in sources]
    for one, other in combinations(range(len(sources)), 2):
        if sources[one].manifest.root.resolve() == sources[other].manifest.root.resolve():
            continue
        for name in sorted(set(directories[one]) & set(directories[other])):
            first, second = directories[one][name], directories[other][name]
            if not (first.is_relative_to(second) or second.is_relative_to(first)):
                raise UsageError(
                    f"'{name}' is a set in {first} ({sources[one].name}) and another one in {second} "
                    f"({sources[other].name}); give one of them another name: "
                    f"--rename {sources[other].name}:{name}={name}-2"
                )


def common_root(sources: Sequence[Source]) -> Path:
    """The deepest directory above all roots, links resolved.

    Raises:
        UsageError: there is none (other drives).
    """
    roots = [source.manifest.root.resolve() for source in sources]
    try:
        return Path(os.path.commonpath(roots))
    except ValueError:
        raise UsageError(
            f"there is no directory above {' and '.join(str(root) for root in roots)}; move the data to one drive"
        ) from None


def _sets(source: Source) -> list[str]:
    return sorted(source.manifest.codes("dataset")[1])
