"""docs/cli.md is what the commands say, and every command has help with an example."""

import runpy
from pathlib import Path

import pytest

from mesoscope.cli import application
from mesoscope.cli.extensions import extensions

ROOT = Path(__file__).parent.parent.parent
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "write_cli_docs.py"))


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == SCRIPT["page"](), "run: make docs"


@pytest.mark.parametrize("command", SCRIPT["COMMANDS"], ids=" ".join)
def test_every_command_has_help_and_leaves_have_an_example(command: tuple[str, ...]) -> None:
    text = SCRIPT["help_of"](command)
    assert "Usage:" in text
    if command not in ((), ("bundle",), ("data",), ("understand",)):
        assert "Example" in text


def test_the_page_knows_every_command_and_no_other() -> None:
    app = application()
    top = {(info.name or info.callback.__name__,) for info in app.registered_commands if info.callback}
    below = {
        (str(group.name), info.name or info.callback.__name__)
        for group in app.registered_groups
        if group.typer_instance
        for info in group.typer_instance.registered_commands
        if info.callback
    }
    groups = {(str(group.name),) for group in app.registered_groups}
    added = {tuple(path.split(".")) for path, _ in extensions()}
    assert {(), *top, *groups, *below, *added} == set(SCRIPT["COMMANDS"])
