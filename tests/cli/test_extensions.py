"""Commands of other packages: listed without being loaded, and honest about what is missing."""

import pytest

from mesoscope.cli.extensions import Extension, extensions
from mesoscope.errors import ExtraMissing


def test_import_comes_from_the_learning_package() -> None:
    assert dict(extensions())["bundle.import"].extra == "train"


def test_what_cannot_be_imported_names_the_extra(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    extension = Extension(help="x", load="mesoscope_train.keras_h5:no_such", extra="train")
    monkeypatch.delitem(__import__("sys").modules, "mesoscope_train.keras_h5", raising=False)
    with pytest.raises(ExtraMissing, match=r"'mesoscope x y' needs the 'train' extra"):
        extension.function("x y")


def test_a_module_that_is_not_there_is_a_defect_not_an_extra() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"):
        Extension(help="x", load="no_such_package.module:f", extra="train").function("x")
