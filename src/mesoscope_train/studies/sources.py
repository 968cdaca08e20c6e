"""Which of a study's data sets are below a directory."""

from __future__ import annotations

from pathlib import Path

from mesoscope.errors import UsageError
from mesoscope_train.studies.plan import Source, Study


def find_sources(study: Study, data: Path) -> tuple[dict[str, Path], list[Source]]:
    """Role to folder of what is there, and the sources that are not.

    Args:
        study: with its sources.
        data: directory that holds their folders.

    Raises:
        UsageError: the directory is missing, or a required source is missing or incomplete; all of them are named.
    """
    if not data.is_dir():
        raise UsageError(f"there is no directory {data}; give the one that holds the data sets: --data DIR")
    found, missing, faults = {}, [], []
    for source in study.sources:
        folder = data / source.folder
        absent = [name for name in source.holds if not (folder / name).exists()]
        if not absent:
            found[source.role] = folder.resolve()
            continue
        missing.append(source)
        if source.required:
            lacks = f"lacks {', '.join(absent)}" if folder.is_dir() else "is not there"
            faults.append(f"{source.folder} {lacks} ({source.about})")
    if faults:
        raise UsageError(
            f"{data} does not hold what the study '{study.name}' needs: {'; '.join(faults)}. "
            f"'mesoscope study list' shows what each study reads"
        )
    return found, missing
