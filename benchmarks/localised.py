"""How often maps were better than chance, from the numbers that `mesoscope explain --out DIR` writes.

    python benchmarks/localised.py DIR/explanations.jsonl

A line a method and label: figures, how many are localised (above the floor and better than 19 random maps), their
median gain and that of all random maps, the median rank correlation with networks of random weights.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np


def main() -> None:
    """Read and print."""
    found: dict[tuple[str, str], list[dict]] = defaultdict(list)
    for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        file = json.loads(line)
        for face in file["faces"]:
            for view in face["views"]:
                found[view["method"], file["label"] or "no label"].append(view)
    for (method, label), views in sorted(found.items()):
        tested = [view for view in views if view["gain"] is not None]
        better = sum(view["chance"] <= 0.05 for view in tested)
        gain = np.median([view["gain"] for view in tested])
        random = np.median([gain for view in tested for gain in view["random_gains"]])
        weights = [np.mean(view["random_weights"]) for view in views if view["random_weights"]]
        like = f", random weights {np.median(weights):.2f}" if weights else ""
        print(
            f"{method:22s} {label:8s} {len(views):4d} figures: {sum(view['localised'] for view in views)} localised, "
            f"{better} better than chance; median gain {gain:+.2f}, random {random:+.2f}{like}"
        )


if __name__ == "__main__":
    main()
