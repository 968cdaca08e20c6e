"""How much of a map lies on the parts of a face that are known to be edited."""

from __future__ import annotations

from mesoscope_train.understanding.editing.run import EditingOptions, check, editing_evidence

__all__ = ["EditingOptions", "check", "editing_evidence"]
