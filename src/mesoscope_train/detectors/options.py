"""Options of an architecture, as text: ``key=value,key=value``.

The text stands in a bundle's ``architecture`` and on command lines, so it has one canonical form: only what differs
from the default, in the order of the fields.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from mesoscope.errors import UsageError

_VALUE = re.compile(r"[A-Za-z0-9._-]+")
"""What a value may look like; the same stands in the pattern of `mesoscope.bundle.BundleContract`."""


class Options(BaseModel):
    """Options of an architecture: a subclass adds fields (int, float, bool, str or Literal), with their ranges."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def __str__(self) -> str:
        """Canonical; empty where everything is as by default."""
        return ",".join(
            f"{name}={_as_text(getattr(self, name))}"
            for name, field in type(self).model_fields.items()
            if getattr(self, name) != field.default
        )


_Options = TypeVar("_Options", bound=Options)


def parse_options(kind: type[_Options], text: str, architecture: str) -> _Options:
    """Read ``key=value,key=value``; an empty text is all defaults.

    Args:
        kind: the options of the architecture.
        text: what follows the colon.
        architecture: its name, for messages.

    Raises:
        UsageError: no ``key=value``, an unknown or repeated key, a value of the wrong type or out of range, a
            missing value; the message names what is known.
    """
    given: dict[str, str] = {}
    for part in text.split(",") if text else []:
        key, equals, value = part.partition("=")
        if not equals or not _VALUE.fullmatch(value):
            raise UsageError(f"{architecture}: {part!r} is no option; write key=value,key=value; {_known(kind)}")
        if key not in kind.model_fields:
            raise UsageError(f"{architecture} has no option {key!r}; {_known(kind)}")
        if key in given:
            raise UsageError(f"{architecture}: option {key!r} is given twice")
        given[key] = value
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"option {first['loc'][0]!r}: " if first["loc"] else ""
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{architecture}: {where}{message}; {_known(kind)}") from None


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _known(kind: type[Options]) -> str:
    fields = [_described(name, field) for name, field in kind.model_fields.items()]
    return f"known options: {'; '.join(fields)}" if fields else "it has no options"


def _described(name: str, field: FieldInfo) -> str:
    """A line of help: ``head (gap, dense; default gap)``."""
    kinds = _kinds(field.annotation)
    return (
        f"{name} ({kinds}, required)"
        if field.is_required()
        else f"{name} ({kinds}; default {_as_text(field.default)})"
    )


def _kinds(annotation: object) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(str(value) for value in inside)
    if origin is Annotated:
        return _kinds(inside[0])
    if inside:
        return " or ".join(_kinds(kind) for kind in inside if kind is not type(None))
    return getattr(annotation, "__name__", str(annotation))
