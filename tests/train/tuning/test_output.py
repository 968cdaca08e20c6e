"""The table, the figures, the page and the best settings; and one real search by the command."""

from __future__ import annotations

import csv
import re

import pytest

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

import yaml
from typer.testing import CliRunner

from mesoscope.cli import application
from mesoscope.manifest import read_manifest
from mesoscope_train.recipes import recipe_named, settings_from
from mesoscope_train.tuning.figures import FEWEST, edge_of, importance_of
from mesoscope_train.tuning.output import write_all
from mesoscope_train.tuning.search import best_of, run
from mesoscope_train.tuning.trials import lines_of


def test_the_table_is_study_fives(plan, made_up):
    given = plan(trials=10)
    study = run(given)
    shown = write_all(study, given)
    with (given.out / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:8] == ["trial", "state", "optimiser", "rate", "loss", "accuracy", "AUC", "model"]
    assert len(rows) == 10
    finished = [row for row in rows if row["state"].startswith("finished")]
    assert [float(row["loss"]) for row in finished] == sorted(float(row["loss"]) for row in finished)
    assert finished[0]["state"] == "finished, best"
    assert int(finished[0]["trial"]) == best_of(study).number
    (defaults,) = (row for row in rows if row["note"] == "the recipe as it is")
    assert (defaults["optimiser"], defaults["rate"], defaults["model"]) == ("nadam", "0.01", "cnn-small")
    assert f"The best is trial {best_of(study).number}" in shown.answer
    assert "the recipe as it is has 1.2500" in shown.answer


def test_options_that_were_searched_have_columns_of_their_own(plan, made_up):
    study = run(plan("head_units=8..64,dropout=0.1|0.2", trials=3))
    line = next(line for line in lines_of(study) if not line.defaults)
    assert line.model == "cnn-small"
    assert set(line.values) == {"head_units", "dropout"}


def test_the_best_settings_are_read_by_train(plan, made_up):
    given = plan("learning_rate=1e-4..1e-1,optimizer,head_units=8..64", trials=10)
    study = run(given)
    write_all(study, given)
    found = settings_from(recipe_named("dfdc-transfer:cnn-small"), given.out / "best.yaml")
    best = best_of(study)
    assert found.stages[0].optimiser.learning_rate == pytest.approx(best.params["learning_rate"])
    assert found.stages[0].optimiser.name == best.params["optimizer"]
    assert found.model.detector == f"cnn-small:head_units={best.params['head_units']}"
    assert found.stages[0].epochs == 4
    assert not found.data.manifests, "a path of this machine is no setting"
    assert set(yaml.safe_load((given.out / "best.yaml").read_text())) == {"model", "stages"}


def test_defaults_that_nothing_beats_are_said(plan, made_up):
    given = plan("learning_rate=0.1|0.05", trials=3)
    assert "None is better than the recipe as it is" in write_all(run(given), given).answer
    assert "the recipe as it is" in (given.out / "best.yaml").read_text()


def test_importance_finds_what_matters_and_says_when_it_cannot(plan, made_up):
    found = importance_of(run(plan(trials=14, pruner="none")))
    assert found.trials == 13
    assert found.shares["learning_rate"] > 0.6, "the made-up loss follows it alone; thirteen trials are few"
    assert sum(found.shares.values()) == pytest.approx(1)
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    few = importance_of(run(plan(trials=3, name="few")))
    assert f"{FEWEST} are needed" in few.absent
    same = importance_of(run(plan("optimizer=sgd|adam|nadam|adamw", trials=8, pruner="none", name="same")))
    assert same.absent == "all trials came to the same value"


def test_figures_and_page(plan, made_up):
    given = plan(trials=12)
    study = run(given)
    write_all(study, given)
    for figure in ("history.png", "importance.png"):
        assert (given.out / figure).read_bytes().startswith(b"\x89PNG"), figure
    page = (given.out / "search.html").read_text()
    assert page.count("Plotly.newPlot(") == 2
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page), "nothing is fetched"
    assert page.count("<tr class=") == 12
    few = plan(trials=1, name="few", out=given.out.parent / "few")
    write_all(run(few), few)
    assert "Nothing can be said: only 0 trials" in (few.out / "search.html").read_text()


def test_one_loss_that_ran_away_does_not_press_the_others_flat(plan, made_up):
    lines = lines_of(run(plan("learning_rate=1e-3|2e-3|5e-3|1e9", trials=12, pruner="none")))
    edge = edge_of(lines, "loss")
    assert edge is not None
    assert 1.25 <= edge < 5
    assert edge_of(lines, "auc") is None


@pytest.fixture
def small():
    return ["--epochs", "1", "--set", "model.size=32", "--set", "loop.batch_size=8", "--set", "data.workers=0",
            "--set", "augment=[]", "--set", "loop.accelerator=cpu"]  # fmt: skip


def test_a_real_search_without_any_test_picture_on_the_disk(manifest, tmp_path, home, small):
    for path, split in zip(*(read_manifest(manifest).values(name) for name in ("path", "split")), strict=True):
        if split == "test":
            (manifest.parent / path).unlink()
    arguments = ["tune", "dfdc-transfer:cnn-small", "--manifest", str(manifest), "--out", str(tmp_path / "s"), *small]
    done = CliRunner().invoke(
        application(), [*arguments, "--trials", "2", "--search", "learning_rate=0.01|0.02,head_units=8..16"]
    )
    assert done.exit_code == 0, done.output
    assert "the recipe as it is" in done.output
    assert "cnn-small" in done.stdout
    files = {path.name for path in (tmp_path / "s").iterdir()}
    assert {"trials.csv", "history.png", "importance.png", "search.html", "best.yaml", "study.db"} <= files
    kept = {path.name for path in (tmp_path / "s" / "trials" / "0001").iterdir()}
    assert {"recipe.yaml", "history.csv", "result.json"} <= kept
    assert not kept & {"stages", "model.safetensors"}, "weights of a whole search would fill the disk"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "s"], "name the data"),
        (["--manifest", "m.parquet"], "name the search's directory"),
        (
            ["--manifest", "m.parquet", "--out", "s", "--search", "speed"],
            "'speed' is no setting that can be searched",
        ),
        (["--manifest", "m.parquet", "--out", "s", "--measure", "mcc"], "--measure mcc: it is one of"),
        (["--manifest", "m.parquet", "--out", "s", "--pruner", "fast"], "--pruner fast: it is one of"),
    ],
)
def test_the_command_refuses(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(application(), ["tune", "dfdc-transfer:cnn-small", *arguments])
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())
    assert not list(tmp_path.iterdir())


def test_what_can_be_searched_is_listed():
    done = CliRunner().invoke(application(), ["tune", "x", "--list"])
    assert done.exit_code == 0
    assert "head_units" in done.stdout
