"""Tables as text of several formats; names are strangers' text, and each format has its own dangerous letters."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from mesoscope.report.words import visible
from mesoscope_train.evaluation.content import Table

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&])")
_LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "–": "--", "−": r"$-$", "†": r"\textdagger{}", "‡": r"\textdaggerdbl{}", "…": r"\ldots{}", "’": "'",
    "\u00a0": "~", "×": r"$\times$",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)


def html_text(table: Table) -> str:
    """A ``<table>`` with its caption and notes, to be pasted into a page."""
    head = "".join(f"<th{_right(table, place)}>{_html(text)}</th>" for place, text in enumerate(table.head))
    rows = "\n".join(
        "<tr>" + "".join(f"<td{_right(table, place)}>{_html(text)}</td>" for place, text in enumerate(row)) + "</tr>"
        for row in table.rows
    )
    notes = "".join(f"<p>{_html(note)}</p>\n" for note in table.notes)
    return (
        f"<table>\n<caption>{_html(table.title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table>\n{notes}"
    )


def markdown_text(table: Table) -> str:
    """A table in GitHub's Markdown."""
    rules = ["---:" if place in table.numbers else "---" for place in range(len(table.head))]
    lines = [
        [_markdown(text) for text in table.head],
        rules,
        *([_markdown(text) for text in row] for row in table.rows),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"\n{_markdown(note)}" for note in table.notes)
    return f"**{_markdown(table.title)}**\n\n{body}\n{notes}\n"


def latex_text(table: Table) -> str:
    r"""A ``table`` with ``booktabs`` rules; letters beyond ASCII need ``\usepackage[T1]{fontenc}`` and textcomp."""
    columns = "".join("r" if place in table.numbers else "l" for place in range(len(table.head)))
    rows = "\n".join(f"{' & '.join(_latex(text) for text in row)} \\\\" for row in table.rows)
    notes = "".join(f"\n\n\\smallskip{{\\footnotesize {_latex(note)}}}" for note in table.notes)
    return (
        "% needs \\usepackage{booktabs}, \\usepackage{textcomp} and \\usepackage[T1]{fontenc}\n"
        f"\\begin{{table}}\n\\caption{{{_latex(table.title)}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n"
        f"{' & '.join(_latex(text) for text in table.head)} \\\\\n\\midrule\n{rows}\n"
        f"\\bottomrule\n\\end{{tabular}}{notes}\n"
        "\\end{table}\n"
    )


def csv_text(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of CSV; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_csv(text) for text in head])
    writer.writerows([_csv(text) for text in row] for row in rows)
    return buffer.getvalue()


FORMATS: Mapping[str, Callable[[Table], str]] = {".html": html_text, ".md": markdown_text, ".tex": latex_text}
"""File suffix to what writes a table so."""


def _right(table: Table, place: int) -> str:
    return ' style="text-align: right"' if place in table.numbers else ""


def _html(text: str) -> str:
    return escape(visible(text))


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", visible(text))


def _latex(text: str) -> str:
    # two hyphens in a name are no dash
    return "".join(_LATEX.get(letter, letter) for letter in visible(text).replace("--", "-\u2060-")).replace(
        "-\u2060-", "-{}-"
    )


def _csv(text: str) -> str:
    text = visible(text)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
