"""``mesoscope bundle import``: weights that others published, turned into a bundle."""

from __future__ import annotations

from pathlib import Path


def run(format: str, file: Path, out: Path, name: str | None, force: bool) -> Path:  # noqa: A002 - the option's name
    """Import weights and return the new bundle's directory, ``out/name-version``.

    Args:
        format: a name in `mesoscope_train.weight_formats.weight_formats`.
        file: the weights.
        out: the directory that will hold the bundle's.
        name: of the bundle; None where the format knows the file.
        force: replace a bundle that is already there.

    Raises:
        UsageError: unknown format, a file that is not of it, or something is already at the place.
        ExportError: the graph does not agree with the network.
    """
    # torch takes seconds to load, and `--help` must not wait for it
    from mesoscope_train.weight_formats import weight_formats  # noqa: PLC0415

    return weight_formats[format](file, out, name=name, overwrite=force).path
