"""What a JPEG's header tells, against what Pillow was told to write."""

from __future__ import annotations

import pytest
from PIL import Image

from mesoscope_train.data.audit.measures.jpeg import estimate_quality, read_header


@pytest.fixture
def save(portrait, tmp_path):
    """Function that saves a small portrait as JPEG with Pillow's options."""

    def save_with(mode="RGB", **options):
        file = tmp_path / "saved.jpg"
        Image.open(portrait).resize((64, 64)).convert(mode).save(file, **options)
        return file

    return save_with


@pytest.mark.parametrize("quality", [5, 30, 49, 50, 51, 75, 90, 95])
def test_quality_is_what_the_file_was_saved_with(save, quality):
    assert read_header(save(quality=quality)).quality == quality


def test_quality_of_a_foreign_table_is_the_one_it_resembles(save):
    """A camera's table: libjpeg's at 80, rounded up by another program."""
    steps = Image.open(save(quality=80)).quantization[0]
    foreign = [step + 1 if index % 3 == 0 else step for index, step in enumerate(steps)]
    header = read_header(save(qtables=[foreign, foreign]))
    assert 76 <= header.quality <= 80
    assert header.tables != read_header(save(quality=80)).tables


def test_finest_table_is_quality_100():
    assert estimate_quality([1] * 64) == 100


def test_tables_are_named_alike_exactly_where_they_are_equal(save):
    tables = [read_header(save(quality=quality)).tables for quality in (75, 75, 76)]
    assert tables[0] == tables[1] != tables[2]
    assert len(tables[0]) == 12


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_subsampling(save, subsampling):
    assert read_header(save(subsampling=subsampling)).subsampling == subsampling


def test_grey_has_one_component(save):
    assert read_header(save("L")).subsampling == "grey"


@pytest.mark.parametrize("progressive", [True, False])
def test_progressive(save, progressive):
    assert read_header(save(progressive=progressive)).progressive is progressive


def test_no_header_where_there_is_none(tmp_path):
    file = tmp_path / "no.jpg"
    file.write_bytes(b"\xff\xd8\xff\xe0 and then nothing of a JPEG")
    assert read_header(file) is None
