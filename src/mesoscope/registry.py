"""How parts are plugged in: a table from name to thing filled by decorators, and things that are loaded when used."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from mesoscope.errors import ExtraMissing, UsageError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named things of one kind.

    Args:
        kind: what the things are called in messages, in the singular (``"face finder"``).
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a thing to enter it under `name`; a name is taken once.

        Raises:
            ValueError: the name is taken.
        """

        def enter(thing: T) -> T:
            if name in self._things:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._things[name] = thing
            return thing

        return enter

    def __getitem__(self, name: str) -> T:
        try:
            return self._things[name]
        except KeyError:
            raise UsageError(f"unknown {self.kind} {name!r}; known: {', '.join(sorted(self._things))}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __contains__(self, name: object) -> bool:
        return name in self._things


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Something that is imported only when it is used, maybe from a part that is not installed.

    Attributes:
        load: ``package.module:name``.
        extra: the extra of mesoscope that brings what the module imports; None where nothing is needed.
    """

    load: str
    extra: str | None = None

    def found(self, what: str) -> Any:  # noqa: ANN401 - whatever stands there
        """Import it.

        Args:
            what: it is, for the message.

        Raises:
            ExtraMissing: a part that its extra brings is not installed.
        """
        module, _, name = self.load.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            own = (error.name or "").partition(".")[0] in ("mesoscope", module.partition(".")[0])
            if own or self.extra is None:
                raise
            raise ExtraMissing(what, self.extra) from error
