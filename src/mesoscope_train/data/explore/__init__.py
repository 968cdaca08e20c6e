"""One page that shows a data set: rows, samples, slices, sizes, formats, groups, and what the audit says.

`run.explore` joins the parts. What is counted stands in `tallies`, `columns`, `histograms` and `sampling` (pure
functions of the manifest), what is drawn in `bars`, `distributions`, `forest` (figures), `tiles` and `sheets`
(pictures), what is said in `verdict`, `examples` and the ``from_*`` modules; `page` and its template make the HTML.
"""

from __future__ import annotations

from mesoscope_train.data.explore.run import FIGURES, INDEX, ExploreOptions, check, explore

__all__ = ["FIGURES", "INDEX", "ExploreOptions", "check", "explore"]
