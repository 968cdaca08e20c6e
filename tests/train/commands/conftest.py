"""Manifests for the commands that turn one into another."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.manifest import ManifestBuilder, Row, write_manifest


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Fifty videos of two frames each; every fifth is real."""
    builder = ManifestBuilder(tmp_path)
    for video in range(50):
        for frame in (0, 30):
            label = "real" if video % 5 == 0 else "fake"
            builder.add(
                Row(path=f"{video}-{frame}.jpg", label=label, group=f"v{video}", dataset="faces", frame=frame)
            )
    write_manifest(builder.build("made by hand"), tmp_path / "faces.parquet")
    return tmp_path / "faces.parquet"
