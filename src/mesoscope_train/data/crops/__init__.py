"""Faces out of videos and pictures, as crops with a manifest of their own: `mesoscope data faces`.

`options` says what is wanted, `cutting` does it for one file, `processes` spreads the files over processes,
`journal` remembers what is finished, `finishing` and `summary` tell what came out, and `running` joins them.
"""

from __future__ import annotations

from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.running import Cut, cut_faces
from mesoscope_train.data.crops.summary import Summary, Tally

__all__ = ["CropOptions", "Cut", "Summary", "Tally", "cut_faces"]
