"""Merges: roots, sets, files that stand twice, columns, and every refusal."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mesoscope.errors import ManifestError, UsageError
from mesoscope.manifest import Manifest, ManifestBuilder, Row
from mesoscope_train.data.splitting import Renaming, Source, merge


@pytest.fixture
def set_in(manifest_of, tmp_path: Path, portrait: Path):
    """Function from a directory, paths in it and columns to a manifest of copies of a real picture."""

    def make(directory: str, paths: list[str], /, **columns: list) -> Manifest:
        root = tmp_path / directory
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(portrait, root / path)
        name = Path(directory).name
        made = {"dataset": [name] * len(paths), "group": [f"{name}:{path}" for path in paths], **columns}
        return manifest_of(root, path=paths, **made).with_history(f"import {name}")

    return make


def two(one: Manifest, other: Manifest, *renamings: str):
    return merge([Source("a.parquet", one), Source("b.parquet", other)], [Renaming.parse(text) for text in renamings])


def test_paths_become_relative_to_the_common_root(set_in, tmp_path: Path) -> None:
    merged = two(set_in("data/one", ["x/1.jpg", "2.jpg"]), set_in("data/deep/two", ["3.jpg"]))
    manifest = merged.manifest
    assert manifest.root == tmp_path / "data"
    assert manifest.values("path") == ["one/x/1.jpg", "one/2.jpg", "deep/two/3.jpg"]
    assert all(manifest.file(path).is_file() for path in manifest.values("path"))
    assert manifest.values("dataset") == ["one", "one", "two"]
    assert manifest.history == ("a.parquet: import one", "b.parquet: import two")
    assert merged.rows == (2, 1)
    assert not merged.repeated
    assert not merged.notes


def test_a_root_inside_another_and_equal_roots(set_in, tmp_path: Path) -> None:
    outer, inner = set_in("data", ["1.jpg"]), set_in("data/in", ["2.jpg"])
    merged = two(outer, inner).manifest
    assert merged.root == tmp_path / "data"
    assert merged.values("path") == ["1.jpg", "in/2.jpg"]
    same = two(outer, set_in("data", ["3.jpg"])).manifest
    assert same.values("path") == ["1.jpg", "3.jpg"]
    assert same.root == tmp_path / "data"


def test_columns_are_united_and_splits_and_folds_kept(set_in) -> None:
    one = set_in("one", ["1.jpg", "2.jpg"], split=["train", "test"], age=[3, 4], gender=["f", "m"])
    other = set_in("two", ["3.jpg"], fold=[2], age=[0.5], generator=["x"])
    manifest = two(one, other).manifest
    assert manifest.columns == ("path", "label", "group", "dataset", "split", "fold", "generator", "age", "gender")
    assert manifest.values("split") == ["train", "test", None]
    assert manifest.values("fold") == [None, None, 2]
    assert manifest.values("age") == [3.0, 4.0, 0.5]
    assert manifest.values("gender") == ["f", "m", None]


def test_a_column_of_two_kinds_is_refused(set_in) -> None:
    with pytest.raises(ManifestError, match=r"'age' holds int64 in a.parquet and string in b.parquet"):
        two(set_in("one", ["1.jpg"], age=[3]), set_in("two", ["2.jpg"], age=["three"]))


class TestOneFileTwice:
    def test_it_is_kept_once_with_all_that_is_known(self, set_in) -> None:
        one = set_in(
            "data", ["s/1.jpg", "s/2.jpg"], split=["train", None], generator=[None, None], dataset=["s", "s"]
        )
        other = set_in(
            "data/s", ["2.jpg", "1.jpg", "3.jpg"],
            group=["data:s/2.jpg", "data:s/1.jpg", "3"], split=["test", None, None], generator=["x", "y", "z"],
        )  # fmt: skip
        merged = two(one, other)
        assert merged.repeated == 2
        assert merged.manifest.values("path") == ["s/1.jpg", "s/2.jpg", "s/3.jpg"]
        assert merged.manifest.values("split") == ["train", "test", None]
        assert merged.manifest.values("generator") == ["y", "x", "z"]
        assert merged.manifest.values("group") == ["data:s/1.jpg", "data:s/2.jpg", "3"]

    def test_it_is_found_through_links(self, set_in, tmp_path: Path) -> None:
        one = set_in("real", ["in/1.jpg"], group=["g"])
        (tmp_path / "linked").mkdir()
        (tmp_path / "linked" / "to").symlink_to(tmp_path / "real" / "in")
        other = set_in("linked", ["to/1.jpg"], group=["g"], dataset=["other"])
        merged = two(one, other)
        assert merged.repeated == 1
        assert merged.manifest.values("path") == ["real/in/1.jpg"]
        assert merged.manifest.values("dataset") == ["real"], "the earlier manifest names it"

    def test_the_first_of_several_that_says_something_is_heard(self, set_in) -> None:
        sources = [
            Source(name, set_in("data", ["1.jpg", f"{name}.jpg"], group=["g", name], generator=[generator, "other"]))
            for name, generator in (("a", None), ("b", "x"), ("c", "y"))
        ]
        merged = merge(sources)
        assert merged.manifest.values("path") == ["1.jpg", "a.jpg", "b.jpg", "c.jpg"]
        assert merged.manifest.values("generator") == ["x", "other", "other", "other"]
        assert merged.repeated == 2

    @pytest.mark.parametrize(
        ("column", "one", "other"),
        [("label", "real", "fake"), ("group", "g", "h"), ("split", "train", "test"), ("fold", 0, 1)],
    )
    def test_contradictions_are_refused(self, set_in, column: str, one: object, other: object) -> None:
        columns = {"group": ["g"]}
        with pytest.raises(
            ManifestError, match=f"1.jpg has the {column} '{one}' in a.parquet and '{other}' in b.parquet"
        ):
            two(
                set_in("data", ["1.jpg"], **{**columns, column: [one]}),
                set_in("data", ["1.jpg"], **{**columns, column: [other]}),
            )


class TestOneNameForTwoSets:
    def test_it_is_refused_with_a_way_out(self, set_in) -> None:
        one, other = set_in("x/faces", ["1.jpg"]), set_in("y/faces", ["1.jpg"])
        with pytest.raises(UsageError, match=r"--rename b.parquet:faces=faces-2"):
            two(one, other)
        merged = two(one, other, "b.parquet:faces=faces-2").manifest
        assert merged.values("dataset") == ["faces", "faces-2"]
        assert merged.values("path") == ["x/faces/1.jpg", "y/faces/1.jpg"]

    def test_a_set_in_a_directory_above_another_is_another(self, set_in) -> None:
        one = set_in("data", ["x/1.jpg"], dataset=["faces"])
        other = set_in("data/y", ["2.jpg"], dataset=["faces"])
        with pytest.raises(UsageError, match="'faces' is a set in"):
            two(one, other)

    def test_parts_of_one_set_are_one(self, set_in) -> None:
        one = set_in("data", ["real/1.jpg"], dataset=["faces"])
        other = set_in("data", ["fake/2.jpg"], dataset=["faces"])
        assert two(one, other).manifest.values("dataset") == ["faces", "faces"]
        inner = set_in("data/real", ["3.jpg"], dataset=["faces"])
        assert two(one, inner).manifest.values("path") == ["real/1.jpg", "real/3.jpg"]

    def test_groups_of_equal_name_are_said_to_be_one(self, set_in) -> None:
        merged = two(set_in("one", ["1.jpg"], group=["dfdc:a"]), set_in("two", ["2.jpg"], group=["dfdc:a"]))
        assert merged.notes == ("of several manifests, 1 group of equal name became one (dfdc:a)",)


class TestRenaming:
    @pytest.mark.parametrize("text", ["faces", "=new", "old=", "a.parquet:=new", ""])
    def test_what_is_no_renaming(self, text: str) -> None:
        with pytest.raises(UsageError, match="write OLD=NEW"):
            Renaming.parse(text)

    def test_both_forms(self) -> None:
        assert Renaming.parse("old=new") == Renaming("old", "new")
        assert Renaming.parse("d/a.parquet:old=new") == Renaming("old", "new", "d/a.parquet")

    def test_a_name_that_occurs_once_needs_no_file(self, set_in) -> None:
        manifest = two(set_in("one", ["1.jpg"]), set_in("two", ["2.jpg"]), "one=first").manifest
        assert manifest.values("dataset") == ["first", "two"]
        assert manifest.values("group")[0] == "one:1.jpg", "groups keep their names"

    @pytest.mark.parametrize(
        ("renaming", "message"),
        [
            ("three=3", "no such manifest has a set 'three' .a.parquet: one; b.parquet: one, two"),
            ("c.parquet:one=1", "no such manifest has a set 'one'"),
            ("one=1", "several manifests have a set 'one'"),
            ("b.parquet:one=two", "b.parquet has a set of that name already"),
        ],
    )
    def test_what_fits_nothing(self, set_in, renaming: str, message: str) -> None:
        one = set_in("data", ["1.jpg"], dataset=["one"])
        other = set_in("data", ["2.jpg", "3.jpg"], dataset=["one", "two"])
        with pytest.raises(UsageError, match=message):
            two(one, other, renaming)


def test_too_few_manifests(set_in) -> None:
    one = set_in("one", ["1.jpg"])
    with pytest.raises(UsageError, match="at least two different manifests"):
        merge([Source("a", one)])
    with pytest.raises(UsageError, match="at least two different manifests"):
        merge([Source("a", one), Source("a", one)])


def test_no_directory_in_common_but_the_whole_disk(
    manifest_of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = manifest_of(tmp_path, path=["1.jpg"]), manifest_of(Path("/"), path=["2.jpg"])
    assert "cannot move with its data" in two(one, other).notes[-1]

    def no_way(_: object) -> str:
        raise ValueError

    elsewhere = manifest_of(tmp_path, path=["2.jpg"], dataset=["e"])
    monkeypatch.setattr("mesoscope_train.data.splitting.sources.os.path.commonpath", no_way)
    with pytest.raises(UsageError, match="there is no directory above"):
        two(one, elsewhere)


def test_groups_that_were_joined_in_one_manifest_are_joined_in_all(tmp_path):
    """The same footage under its former name would stand on the other side of a split."""

    def manifest(name, rows):
        builder = ManifestBuilder(tmp_path / name)
        (tmp_path / name).mkdir()
        for number, (group, former) in enumerate(rows):
            extra = {"group_before_joining": former} if former else {}
            builder.add(Row(path=f"{number}.jpg", label="real", group=group, dataset=name, extra=extra))
        return Source(name, builder.build())

    joined = manifest("joined", [("dfdc:a", "dfdc:a"), ("dfdc:a", "dfdc:b"), ("dfdc:c", "dfdc:c")])
    plain = manifest("plain", [("dfdc:b", None), ("dfdc:c", None), ("dfdc:d", None)])
    merged = merge([joined, plain]).manifest
    assert merged.values("group") == ["dfdc:a", "dfdc:a", "dfdc:c", "dfdc:a", "dfdc:c", "dfdc:d"]
