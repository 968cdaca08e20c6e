"""The commands this package adds to the command line. Light: nothing here imports torch."""

from __future__ import annotations

from mesoscope.cli.extensions import Extension

BUNDLE_IMPORT = Extension(
    help="Turn published weights into a bundle (for example MesoNet's .h5).",
    load="mesoscope_train.commands.bundle_import:command",
    extra="train",
)
