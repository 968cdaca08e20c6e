"""What each number and figure means, in a sentence or two: the page's own glossary."""

from __future__ import annotations

from mesoscope_train.evaluation.content import Explained
from mesoscope_train.evaluation.metrics_schema import CATALOGUE, Metrics
from mesoscope_train.evaluation.trust import BOUNDS_TOLD
from mesoscope_train.evaluation.wording import slug

_MORE = {
    "auc": "It needs no threshold: a good AUC with a bad threshold still gives wrong answers.",
    "average_precision": "It depends on how many fakes there are; compare it only between equal shares.",
    "accuracy": "With many reals and few fakes it is high for who always says “real”: look at both classes.",
    "recall_at_fpr_1": "The threshold is chosen on these very pictures, so it flatters; the bundle’s own does not.",
    "recall_at_fpr_5": "As the one above, with more false alarms.",
    "ece": "Says nothing about telling fakes from reals, only whether “90 %” is meant as 90 %.",
    "log_loss": "Punishes being sure and wrong.",
    "eer": "Where the two kinds of mistake are equally frequent; no bundle works there on its own.",
    "accuracy_all": "The harshest count: whoever often says “I do not know” pays for it here.",
    "aurc": "Small where a bundle that is sure is also right.",
    "mse_labels": "Study 4 gives this one: it says nothing that accuracy does not.",
}
_FIGURES = {
    "cross": (
        "Bundles on data sets",
        "Every bundle (line) on every data set (column). A number that holds on one column and not on the next is "
        "no property of the bundle alone.",
    ),
    "roc": (
        "ROC curve",
        "For every possible threshold: which share of fakes is found (upwards) at which share of reals called fake"
        " (to the right). The mark is the threshold that the bundle really uses.",
    ),
    "precision-recall": (
        "Precision and recall",
        "If a file is called fake, how often that is true (precision), against how many fakes are found (recall). "
        "Precision sinks where fakes are rare.",
    ),
    "confusion": (
        "Confusion matrix",
        "Counts of what was said of reals and of fakes. Outlined cells are mistakes; “in band” are answers too "
        "near the threshold, which the bundle calls inconclusive.",
    ),
    "scores": (
        "Score histogram",
        "Where the scores of each class lie. The more the two sides overlap, the more mistakes any threshold makes.",
    ),
    "reliability": (
        "Reliability",
        "Of all pictures that got about 70 %, about 70 % should be fake. Points on the dotted line keep that "
        "promise.",
    ),
    "risk-coverage": (
        "Risk against coverage",
        "What share of answers is wrong if only the surest part is answered.",
    ),
    "slices": (
        "Slices",
        "The same rates for parts of the data set. Small parts have wide intervals; ringed marks differ from the "
        "rest even after correction for looking at many parts.",
    ),
    "false-alarms": (
        "False alarms by group of people",
        "How often real pictures of each group would be called fake. A group with more false alarms is treated "
        "worse.",
    ),
    "tiers": (
        "Degradation",
        "The same pictures shrunk, re-encoded, blurred or with noise, judged with the same threshold as before. "
        "Web: longest side 768, JPEG 60. Hard: 512, JPEG 40. Messenger: shrunk, JPEG 55, WebP 75, JPEG 80.",
    ),
}
_WORDS = {
    "interval": (
        "Interval",
        "The numbers in brackets. If other groups (videos, people) of the same kind had been collected, the number"
        " would lie in there with the stated confidence. Pictures of one group are drawn together, because they "
        "resemble each other.",
    ),
    "outcomes": (
        "Errors, not applicable, inconclusive",
        "Error: the file could not be read. Not applicable: nothing this bundle can judge, as a face detector "
        "without a face. Inconclusive: a score too near the threshold. The first two have no score and are in no "
        "rate but “answered”, “coverage” and “accuracy of all”.",
    ),
    "threshold": (
        "Threshold and bound",
        "From this score on the bundle says “fake”. It was chosen on other pictures at a budget of false alarms; "
        "the bound says how large their share may still be, given how many pictures it was chosen on.",
    ),
    "by-video": (
        "Videos and groups",
        "Pictures of one video are judged together: mean of their scores (mean), mean of the highest tenth "
        "(top-k), or the highest face’s mean over time (per-track).",
    ),
    "difference": (
        "Difference, p, corrected p",
        "p: how often so large a difference would come about by chance alone. Who looks at twenty parts finds one "
        "below 0.05 by chance; the corrected p allows for it (Holm). q is the expected share of false finds among "
        "those called different.",
    ),
    "marks": (
        "Marks †, ‡, ?",
        "† the bundle was trained on another part of this data set: easier than data from elsewhere. ‡ it was "
        "trained on these very pictures or near copies: no measure of anything new. ? this "
        "cannot be told.",
    ),
}


def explained(metrics: Metrics) -> tuple[Explained, ...]:
    """All entries that this page links to, words first, then figures, then numbers."""
    used = {name for one in metrics.readings for name in one.metrics}
    entries = [Explained("x-reliable", "Reliable, with care, not to be relied on", BOUNDS_TOLD)]
    entries += [Explained(f"x-{name}", title, means) for name, (title, means) in _WORDS.items()]
    entries += [Explained(f"x-{name}", title, means) for name, (title, means) in _FIGURES.items()]
    for name, named in CATALOGUE.items():
        if name in used:
            means = f"{named.meaning} {_MORE.get(name, '')}".strip()
            entries.append(Explained(f"x-{slug(name)}", f"{named.title[:1].upper()}{named.title[1:]}", means))
    entries.append(
        Explained(
            "x-precision-class",
            "Precision, recall, F1, support",
            "For each class: how often its name is right (precision), how many of it are found (recall), their "
            "harmonic mean (F1), and how many there are (support).",
        )
    )
    return tuple(entries)


HEADS = {
    **{named.title: f"x-{slug(name)}" for name, named in CATALOGUE.items()},
    "reals called fake": "x-false-positive-rate",
    "reals as fake": "x-false-positive-rate",
    "fakes called real": "x-false-negative-rate",
    "fakes as real": "x-false-negative-rate",
    "fakes found": "x-accuracy-fake",
    "precision": "x-precision-class",
    "recall": "x-precision-class",
    "F1": "x-precision-class",
    "support": "x-precision-class",
    "counted": "x-by-video",
    "difference": "x-difference",
    "p": "x-difference",
    "corrected p": "x-difference",
    "q": "x-difference",
    "threshold": "x-threshold",
    "bound": "x-threshold",
    "tier": "x-tiers",
    "part": "x-slices",
    "errors": "x-outcomes",
    "not applicable": "x-outcomes",
    "inconclusive": "x-outcomes",
}
"""Head of a column to the entry that explains it."""
