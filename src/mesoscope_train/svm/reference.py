"""What scikit-learn itself answered on the validation pictures, kept beside a run; no machine is ever pickled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError

Floats = npt.NDArray[np.float64]


def write_reference(path: Path, pictures: list[str], decisions: Floats) -> None:
    """Write decision values; whole or not at all.

    Args:
        path: of the Parquet file.
        pictures: their paths in the manifest.
        decisions: (N,) float64, of scikit-learn's ``decision_function``.
    """
    with replacing(path) as partial, explained(path):
        pq.write_table(pa.table({"path": pictures, "decision": decisions}), partial)


def read_reference(path: Path) -> dict[str, float]:
    """Decision values by the picture's path in the manifest.

    Raises:
        UsageError: the file is missing or is none of these.
    """
    try:
        table = pq.read_table(path, columns=["path", "decision"])
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}); train the run's SVM again") from None
    return dict(zip(table["path"].to_pylist(), table["decision"].to_pylist(), strict=True))
