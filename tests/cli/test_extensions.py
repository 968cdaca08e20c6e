"""Commands of other packages: listed without being loaded, and honest about what is missing."""

import pytest

from mesoscope.cli.extensions import Extension, extensions
from mesoscope.errors import ExtraMissing

SOME = Extension(help="x", load="mesoscope_train.commands.bundle_import:command", extra="train")


def test_import_comes_from_the_learning_package() -> None:
    assert dict(extensions())["bundle.import"].extra == "train"
    assert [path for path, _ in extensions("bundle")] == [
        "bundle.annotate",
        "bundle.export",
        "bundle.import",
        "bundle.quantise",
    ]
    assert list(extensions("nowhere")) == []


def test_the_function_is_found() -> None:
    assert SOME.function().__name__ == "command"


def test_what_is_not_installed_is_told_as_the_extra() -> None:
    with (
        pytest.raises(
            ExtraMissing, match=r"'mesoscope x y' needs the 'train' extra: pip install 'mesoscope\[train\]'"
        ),
        SOME.naming_its_extra("x y"),
    ):
        raise ModuleNotFoundError("no module", name="h5py")


def test_a_missing_part_of_its_own_is_a_defect_not_an_extra() -> None:
    with pytest.raises(ModuleNotFoundError, match="lost"), SOME.naming_its_extra("x"):
        raise ModuleNotFoundError("lost", name="mesoscope_train.lost")
