"""The document of explanations: written as they come, in bounded memory; it appears whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import mesoscope
from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict
from mesoscope.errors import UsageError
from mesoscope.explain.findings import Explanation
from mesoscope.explain.methods import Method
from mesoscope.registry import Registry
from mesoscope.report.explained import Colours, Document, ExplainedBuilder

DocumentRenderer = Callable[[Document, Path], None]
"""Writes a document to an existing, empty file."""
document_formats: Registry[DocumentRenderer] = Registry("document format")


class ExplanationWriter:
    """Takes explanations one at a time and writes the document when it is closed, in each place asked for.

    As a context manager it closes itself at the end of the block, and throws everything away when the block ends with
    an exception.

    Args:
        paths: of the documents; each name's ending tells its format.
        bundle: that judged.
        verdict: the rule in force.
        command: that makes the document again, as a person would type it.
        methods: that were used.
        missing: sentences: what could not be done, and how to get it.
        colours: of maps.
        channels: of a layer that are shown at most.
        made: when; now by default.

    Raises:
        UsageError: an unknown ending, or a place that cannot be written (told at once).
    """

    def __init__(
        self,
        paths: Sequence[Path],
        bundle: Bundle,
        verdict: Verdict,
        command: str,
        *,
        methods: Sequence[Method],
        missing: Sequence[str] = (),
        colours: Colours = "diverging",
        channels: int = 16,
        made: datetime | None = None,
    ) -> None:
        renderers = [(path, _renderer(path)) for path in paths]
        self._open = ExitStack()
        try:
            self._targets = []
            for path, render in renderers:
                make_directory(path.parent)
                self._targets.append((path, self._open.enter_context(replacing(path)), render))
            with explained(Path(tempfile.gettempdir())):
                spool = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="mesoscope-explain-")))
        except BaseException as error:
            self._open.__exit__(type(error), error, error.__traceback__)
            raise
        self._spool = spool
        self._builder = ExplainedBuilder(spool, verdict, colours, channels)
        self._document = Document(
            made=(made or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M %Z").strip(),
            program=mesoscope.__version__,
            command=command,
            bundle=bundle,
            verdict=verdict,
            colours=colours,
            missing=list(missing),
            methods=[(method.name, f"{method.summary}. {method.source}.") for method in methods],
        )

    def add(self, explanation: Explanation) -> None:
        """Take one; its pictures are drawn now and its maps not kept.

        Raises:
            UsageError: the disk is full.
        """
        with explained(self._spool):
            section = self._builder.build(len(self._document.sections) + 1, explanation)
        self._document.sections.append(section)
        self._document.lines.append(self._builder.line(section, explanation))

    def add_pair(self, left: Explanation, right: Explanation) -> None:
        """Take two videos of the same footage, for a page on which they stand side by side."""
        with explained(self._spool):
            self._document.pairs.append(self._builder.pair(len(self._document.pairs) + 1, left, right))

    def close(self) -> None:
        """Write the documents to their places.

        Raises:
            UsageError: one cannot be written; nothing is left behind.
        """
        with self._open.pop_all():
            for path, partial, render in self._targets:
                with explained(path):
                    render(self._document, partial)

    def __enter__(self) -> ExplanationWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._open.pop_all().__exit__(kind, error, trace)


def _renderer(path: Path) -> DocumentRenderer:
    suffix = path.suffix.lower()
    if suffix not in document_formats:
        known = " or ".join(document_formats)
        raise UsageError(f"cannot tell the format of {path}: its name must end in {known}, or be a folder’s")
    return document_formats[suffix]
