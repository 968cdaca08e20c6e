"""What is measured of each file, once: the audit, its shortcuts and the explore page all read this table.

`schema` names the columns; `jpeg`, `sharpness`, `colour` and `spectrum` are pure functions; `one_file` measures one
file, `running` many, in parallel and with a `cache` that knows what was measured before.
"""

from __future__ import annotations

from mesoscope_train.data.audit.measures.running import measure
from mesoscope_train.data.audit.measures.schema import COLOURS, RINGS, SCHEMA, SHARPNESS

__all__ = ["COLOURS", "RINGS", "SCHEMA", "SHARPNESS", "measure"]
