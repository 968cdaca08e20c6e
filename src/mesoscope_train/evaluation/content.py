"""What the evaluation's page is made of: plain data that template and files are written from."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn figure.

    Attributes:
        name: of its files, without suffix; letters, digits, hyphens.
        figure: in the house style.
        caption: what it shows, in a sentence or two.
        manifest: whose section it belongs to; empty for figures over all manifests.
        kind: ``roc``, ``confusion`` …: which of the page's explanations goes with it.
        wide: whether it takes the page's full width.
    """

    name: str
    figure: Figure
    caption: str
    manifest: str
    kind: str
    wide: bool = True
