"""How often 95 % intervals of an evaluation cover the truth, on made-up samples with known answers.

    python benchmarks/interval_coverage.py [--samples 300]

A sample has two classes of so many groups, four rows a group; half of a score's variance is the group's. The true AUC
is 0.773, the true accuracy 0.702. Three ways: as the product does (groups drawn, expanded percentiles), groups drawn
with plain percentiles, and rows drawn.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import stats

from mesoscope.metrics import Intervals, Sample, estimate_all
from mesoscope.metrics.bootstrap import percentile_interval
from mesoscope.metrics.estimates import estimate_with_draws

GROUPS, ROWS, SHIFT, DRAWS = (5, 10, 30, 100), 4, 1.5, 400
AUC = float(stats.norm.cdf(SHIFT / 2))
ACCURACY = float(stats.norm.cdf(SHIFT / 2 / 2**0.5))


def sample(groups: int, random: np.random.Generator, *, by_row: bool = False) -> Sample:
    """Scores of both classes; the threshold lies in the middle."""
    group = np.repeat(np.arange(2 * groups), ROWS)
    fake = group % 2 == 0
    logit = random.normal(size=group.size) + random.normal(size=2 * groups)[group] + SHIFT * (fake - 0.5)
    group = np.arange(group.size) if by_row else group
    count = int(group.max()) + 1
    return Sample(fake, logit, 1 / (1 + np.exp(-logit)), group, count, 0.5, 0.5, np.zeros(count, np.int64))


def covered(groups: int, samples: int) -> np.ndarray:
    """Shares of intervals that cover: AUC and accuracy expanded, both with plain percentiles, AUC by row."""
    truths = {"auc": AUC, "accuracy": ACCURACY}
    hits = np.zeros(5)
    for seed in range(samples):
        found, draws = estimate_with_draws(
            sample(groups, np.random.default_rng(seed)), Intervals(draws=DRAWS), truths
        )
        by_row = sample(groups, np.random.default_rng(seed), by_row=True)
        alone = estimate_all(by_row, Intervals(draws=DRAWS), ("auc",))["auc"]
        intervals = [(one.low, one.high) for one in found.values()]
        intervals += [percentile_interval(draws[name], 0.95) for name in truths]
        intervals.append((alone.low, alone.high))
        wanted = [*truths.values(), *truths.values(), AUC]
        hits += [low <= truth <= high for (low, high), truth in zip(intervals, wanted, strict=True)]
    return hits / samples


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300)
    samples = parser.parse_args().samples
    print("| groups of each class | AUC | accuracy | AUC, plain percentiles | accuracy, plain | AUC, by row |")
    print("|---|---|---|---|---|---|")
    for groups in GROUPS:
        shares = " | ".join(f"{share:.3f}" for share in covered(groups, samples))
        print(f"| {groups} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
