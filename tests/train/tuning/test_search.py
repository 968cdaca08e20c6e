"""Trials: what comes first, what is ended early, what a kill leaves, what a storage that fails leaves."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the learning side needs the 'train' extra")

from optuna.trial import TrialState

from mesoscope.errors import MediaError, UsageError
from mesoscope.manifest import read_manifest
from mesoscope_train.errors import TrainingDiverged
from mesoscope_train.training import session
from mesoscope_train.tuning import search as searching
from mesoscope_train.tuning import storage
from mesoscope_train.tuning.search import best_of, run
from mesoscope_train.tuning.storage import StorageError, open_storage, shown


def states(study):
    return [trial.state.name for trial in study.get_trials()]


def test_the_recipe_as_it_is_comes_first_and_the_best_beats_it(plan, made_up):
    study = run(plan())
    trials = study.get_trials()
    assert len(trials) == 8
    assert trials[0].params == {}
    assert trials[0].user_attrs["defaults"]
    assert trials[0].value == pytest.approx(1 + 1 / 4), "0.01 is one decade from the best rate"
    best = best_of(study)
    assert best.value == min(trial.value for trial in trials if trial.state is TrialState.COMPLETE)
    assert best.value < trials[0].value
    assert best.user_attrs["val_loss"] == best.value
    for trial in trials[1:]:
        assert 1e-4 <= trial.params["learning_rate"] <= 1e-1
        assert trial.user_attrs["settings"]["optimiser"] == trial.params["optimizer"]


def test_what_falls_behind_is_ended_early(plan, made_up):
    ended = [trial for trial in run(plan(trials=20)).get_trials() if trial.state is TrialState.PRUNED]
    assert ended
    assert all(trial.user_attrs["ended"].startswith("behind after epoch") for trial in ended)
    assert all(trial.user_attrs["epochs"] < 4 for trial in ended)
    assert all("val_auc" in trial.user_attrs for trial in ended)


def test_nothing_is_ended_where_nobody_shall(plan, made_up):
    assert set(states(run(plan(trials=12, pruner="none")))) == {"COMPLETE"}
    assert "PRUNED" in states(run(plan(trials=20, pruner="hyperband", name="other")))


@pytest.mark.parametrize("measure", ["auc", "accuracy"])
def test_other_measures_are_made_large(plan, made_up, measure):
    study = run(plan(measure=measure))
    best = best_of(study)
    assert best.value == max(trial.value for trial in study.get_trials() if trial.state is TrialState.COMPLETE)
    assert best.value == best.user_attrs[f"val_{measure}"]
    assert {recipe.loop.monitor for recipe in made_up} == {measure}


def test_no_trial_is_given_test_rows(plan, made_up, manifest):
    before = read_manifest(manifest)
    assert "test" in before.values("split")
    run(plan(trials=3))
    for recipe in made_up:
        (path,) = recipe.data.manifests
        seen = read_manifest(path)
        assert set(seen.values("split")) == {"train", "validation"}
        assert len(seen) == 48


def test_the_same_values_are_not_trained_twice(plan, made_up):
    study = run(plan("optimizer=sgd|adam", trials=6, pruner="none"))
    assert len(made_up) == 3, "the recipe as it is, and two choices"
    again = [trial for trial in study.get_trials() if "the same as trial" in trial.user_attrs.get("ended", "")]
    assert len(again) == 3
    values = {trial.params["optimizer"]: set() for trial in study.get_trials()[1:]}
    for trial in study.get_trials()[1:]:
        values[trial.params["optimizer"]].add(trial.value)
    assert all(len(each) == 1 for each in values.values())


def test_a_run_that_diverges_is_told_and_the_search_goes_on(plan, made_up, monkeypatch):
    started = session.start

    def start(recipe, out, **how):
        if recipe.stages[0].optimiser.name == "sgd":
            raise TrainingDiverged("the loss is not finite")
        started(recipe, out, **how)

    monkeypatch.setattr(session, "start", start)
    study = run(plan("optimizer=sgd|adam", trials=4))
    assert any(trial.user_attrs.get("ended") == "diverged" for trial in study.get_trials())
    assert best_of(study).params.get("optimizer") != "sgd"


def test_what_would_stop_every_trial_stops_the_search_and_keeps_what_is_finished(plan, made_up, monkeypatch):
    started = session.start

    def start(recipe, out, **how):
        if len(made_up) == 3:
            raise MediaError("07.png: the file is damaged")
        started(recipe, out, **how)

    monkeypatch.setattr(session, "start", start)
    with pytest.raises(MediaError, match=r"07\.png"):
        run(plan())
    monkeypatch.setattr(session, "start", started)
    study = run(plan())
    assert states(study).count("COMPLETE") + states(study).count("PRUNED") == 8
    failed = [trial for trial in study.get_trials() if trial.state is TrialState.FAIL]
    assert [trial.user_attrs["error"] for trial in failed] == ["07.png: the file is damaged"]
    assert not any("retry_of" in trial.user_attrs for trial in study.get_trials()), "it was no lost worker"


def test_a_search_that_is_finished_runs_no_more(plan, made_up):
    run(plan(trials=3))
    run(plan(trials=3))
    assert len(made_up) == 3
    run(plan(trials=5))
    assert len(made_up) == 5


def test_ctrl_c_keeps_what_is_finished(plan, made_up, monkeypatch):
    started = session.start

    def start(recipe, out, **how):
        if len(made_up) == 2:
            raise KeyboardInterrupt
        started(recipe, out, **how)

    monkeypatch.setattr(session, "start", start)
    assert states(run(plan())) == ["COMPLETE", "COMPLETE", "FAIL"]


def test_another_search_by_this_name_is_refused(plan, made_up):
    run(plan(trials=1))
    with pytest.raises(UsageError, match="a search named 'test' with another search"):
        run(plan("optimizer", trials=1))
    with pytest.raises(UsageError, match="with another recipe"):
        run(plan(trials=1, settings=["loop.clip=1.0"]))
    with pytest.raises(UsageError, match="with another measure"):
        run(plan(trials=1, measure="auc"))


def test_other_data_in_the_same_directory_are_refused(plan, made_up, manifest):
    from mesoscope.manifest import write_manifest

    run(plan(trials=1))
    rows = read_manifest(manifest)
    write_manifest(rows.take([index for index in range(len(rows)) if index != 3]), manifest)
    with pytest.raises(UsageError, match="holds a search on other data"):
        run(plan(trials=1))


def test_data_without_a_split_and_several_processes_are_refused(plan, made_up, manifest):
    with pytest.raises(UsageError, match="a search runs one process a trial"):
        run(plan(settings=["loop.devices=2"]))
    from mesoscope.manifest import write_manifest

    rows = read_manifest(manifest)
    write_manifest(
        rows.take([index for index, split in enumerate(rows.values("split")) if split == "test"]), manifest
    )
    with pytest.raises(UsageError, match="no training and validation rows"):
        run(plan())
    assert not made_up


KILLED = """
import os, signal, sys
from pathlib import Path
from mesoscope_train.recipes import recipe_named, settings_from
from mesoscope_train.training import session
from mesoscope_train.tuning.search import Plan, run
from mesoscope_train.tuning.space import parse_search

def start(recipe, out, **how):
    if out.name == "0002":
        os.kill(os.getpid(), signal.SIGKILL)
    from mesoscope_train.training.history import Epoch
    how["watch"](Epoch("all", 1, 1, 1.0, 1.0, 0.5, 0.7, 0.5, 0.5, 1.0, 1.0, 0.0))

session.start = start
recipe = settings_from(recipe_named("dfdc-transfer:cnn-small"), None, [f"data.manifests=['{sys.argv[1]}']",
    "stages.0.epochs=4"])
run(Plan(recipe, parse_search("learning_rate=1e-4..1e-1,optimizer"), Path(sys.argv[2]), 8, "test", "loss", seed=0))
"""


def test_a_trial_whose_worker_was_killed_is_tried_once_more(plan, made_up, manifest, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(manifest), str(tmp_path / "search")], capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    study = run(plan(storage=None))
    trials = study.get_trials()
    lost = trials[2]
    assert lost.state is TrialState.FAIL
    again = [trial for trial in trials if trial.user_attrs.get("retry_of") == 2]
    assert [trial.params for trial in again] == [lost.params]
    assert again[0].state in searching.DONE
    assert sum(trial.state in searching.DONE for trial in trials) == 8
    assert not storage.take_up_lost(study), "once"


def test_a_second_loss_is_not_tried_again(plan, made_up):
    study = run(plan(trials=1))
    study.enqueue_trial({"learning_rate": 0.01}, user_attrs={"retry_of": 0})
    study.tell(study.ask().number, state=TrialState.FAIL)
    assert storage.take_up_lost(study) == []


def test_workers_that_live_are_left_alone(plan, made_up):
    study = run(plan(trials=1))
    for worker in (storage.this_worker(), "another-machine:1", f"{os.uname().nodename}:1", "nonsense"):
        study.ask().set_user_attr("worker", worker)
    assert storage.take_up_lost(study) == []
    assert states(study).count("RUNNING") == 4


def test_a_locked_storage_is_said_and_keeps_its_trials(plan, made_up, monkeypatch):
    run(plan(trials=2, storage=None))
    monkeypatch.setattr(storage, "PATIENCE", 0.1)
    file = plan().out / "study.db"
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StorageError, match=r"study\.db cannot be used .*locked.* Finished trials are kept"):
            run(plan(trials=3, storage=None))
    finally:
        holder.close()
    assert len(run(plan(trials=3, storage=None)).get_trials()) == 3


def test_a_storage_that_is_gone_or_none_is_said(plan, made_up, tmp_path):
    with pytest.raises(StorageError, match="cannot be used"):
        run(plan(storage=f"sqlite:///{tmp_path}/no/where.db"))
    (tmp_path / "text.db").write_text("this is no database, though it is long enough to be taken for one " * 20)
    with pytest.raises(StorageError, match="cannot be used"):
        run(plan(storage=f"sqlite:///{tmp_path}/text.db"))
    for url in ("nowhere", "dbase://host/db"):
        with pytest.raises(UsageError, match="no storage that can be opened here"):
            open_storage(url)
    with pytest.raises(UsageError, match="cannot write"):
        open_storage(f"journal:{tmp_path}/no/where.log")


def test_a_password_is_not_shown():
    assert "secret" not in shown("postgresql://me:secret@host/db")
    with pytest.raises((UsageError, StorageError)) as told:
        open_storage("postgresql://me:secret@127.0.0.1:1/db")
    assert "secret" not in str(told.value)


def test_workers_share_a_journal(plan, made_up, tmp_path):
    url = f"journal:{tmp_path}/shared.log"
    run(plan(storage=url, trials=2, out=tmp_path / "one"))
    study = run(plan(storage=url, trials=4, out=tmp_path / "two"))
    assert len(study.get_trials()) == 4
    assert not (tmp_path / "two" / "study.db").exists()
    assert sorted(path.name for path in Path(tmp_path / "two" / "trials").iterdir()) == ["0002", "0003"]
