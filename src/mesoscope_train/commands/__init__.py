"""The commands this package adds to the command line. Light: nothing here imports torch."""

from __future__ import annotations

from mesoscope.cli.extensions import Extension

BUNDLE_IMPORT = Extension(
    help="Turn published weights into a bundle (for example MesoNet's .h5).",
    load="mesoscope_train.commands.bundle_import:command",
    extra="train",
)
BUNDLE_EXPORT = Extension(
    help="Turn a finished run into a bundle, with measured parity.",
    load="mesoscope_train.commands.bundle_export:command",
    extra="train",
)
BUNDLE_ANNOTATE = Extension(
    help="Add what was measured to a bundle's card, and to its limits.",
    load="mesoscope_train.commands.bundle_annotate:command",
    extra="train",
)
TRAIN = Extension(
    help="Train a detector by a recipe; resumable.", load="mesoscope_train.commands.train:command", extra="train"
)
COMPARE = Extension(
    help="Compare runs: loss, accuracy, AUC, size, speed.",
    load="mesoscope_train.commands.compare:command",
    extra="train",
)


BUNDLE_QUANTISE = Extension(
    help="Make an int8 copy of a bundle, measured on validation data.",
    load="mesoscope_train.commands.bundle_quantise:command",
    extra="train",
)
CALIBRATE = Extension(
    help="Fit a bundle's probabilities and thresholds on validation data.",
    load="mesoscope_train.commands.calibrate:command",
    extra="train",
)
EVALUATE = Extension(
    help="Measure bundles on manifests: numbers with intervals, figures, one page.",
    load="mesoscope_train.commands.evaluate:command",
    extra="train",
)
STUDY = Extension(
    help="Run one of the five studies from data to one page.",
    load="mesoscope_train.commands.study:command",
    extra="train",
)
TUNE = Extension(
    help="Search a recipe's settings, with pruning; resumable.",
    load="mesoscope_train.commands.tune:command",
    extra="train",
)


def _understand(help: str, module: str) -> Extension:
    return Extension(help=help, load=f"mesoscope_train.commands.{module}:command", extra="train")


UNDERSTAND_EDITING = _understand(
    "How much of a map lies on the parts that are known to be edited.", "understand_editing"
)
UNDERSTAND_MEANS = _understand("Mean maps and feature maps over a data set, on one page.", "understand_means")
UNDERSTAND_NEURONS = _understand("What kernels, filters and neurons look for, as sheets.", "understand_neurons")


def _data(help: str, module: str) -> Extension:
    return Extension(help=help, load=f"mesoscope_train.commands.{module}:command", extra="train")


DATA_IMPORT = _data("Turn a published data set, or your own folders, into a manifest.", "data_import")
DATA_FACES = _data("Cut faces out of a manifest's videos and pictures.", "data_faces")
DATA_SPLIT = _data("Split a manifest by group into train, validation and test, or into folds.", "data_split")
DATA_SAMPLE = _data("Draw a balanced sample that prefers different groups.", "data_sample")
DATA_MERGE = _data("Merge several manifests into one that keeps their sources.", "data_merge")
DATA_AUDIT = _data("Look for leaks between splits and for shortcuts to the label.", "data_audit")
DATA_EXPLORE = _data("Show a data set on one page: counts, sizes, samples, audit.", "data_explore")
