"""Running trials: each is a run of its own, watched epoch by epoch, ended early where it falls behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.trial import FrozenTrial, TrialState

from mesoscope.atomic import make_directory
from mesoscope.cli.console import remark
from mesoscope.errors import MesoscopeError, UsageError
from mesoscope_train.errors import TrainingDiverged
from mesoscope_train.recipes import as_yaml, settings_from
from mesoscope_train.recipes.settings import Recipe
from mesoscope_train.training import session
from mesoscope_train.training.history import Epoch
from mesoscope_train.tuning.data import keep, without_test
from mesoscope_train.tuning.space import Dimension, Value, applied, check, suggested
from mesoscope_train.tuning.storage import ERROR, WORKER, default_url, open_storage, take_up_lost, this_worker, told

MEASURES = {"loss": "minimize", "auc": "maximize", "accuracy": "maximize"}
PRUNERS = ("median", "hyperband", "none")
DONE = (TrialState.COMPLETE, TrialState.PRUNED)
DEFAULTS, SETTINGS, ENDED = "defaults", "settings", "ended"
"""Notes at a trial: it is the recipe as it is; the values it tried; why it ended early."""
_FIGURES = ("val_loss", "val_accuracy", "val_auc")
_UNTOUCHED_EPOCHS = 1
"""Of every trial, before it may be ended."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A search.

    Attributes:
        recipe: what is varied, with its manifests.
        search: what is tried.
        out: its directory.
        trials: to be finished in all, the recipe's own settings among them.
        name: of the study in its storage.
        measure: validation value that is compared.
        pruner: one of `PRUNERS`.
        storage: address; None for an SQLite file in `out`.
        seed: of the sampler; None for chance, as several workers of one storage need.
        allow_leaks: kinds of leaks that the user accepts by name.
        command: as typed.
    """

    recipe: Recipe
    search: tuple[Dimension, ...]
    out: Path
    trials: int
    name: str
    measure: str
    pruner: str = "median"
    storage: str | None = None
    seed: int | None = None
    allow_leaks: Collection[str] = ()
    command: str = ""

    @property
    def url(self) -> str:
        """Address of the storage."""
        return self.storage or default_url(self.out)


def run(plan: Plan, after: Callable[[optuna.Study], None] = lambda study: None) -> optuna.Study:
    """Run trials until as many are finished as were asked for, those of earlier calls and other workers among them.

    Args:
        plan: see there.
        after: called after every trial.

    Returns:
        the study, also where somebody interrupted it (Ctrl-C).

    Raises:
        UsageError: the search cannot be made, or the storage holds another one by this name.
        StorageError: the storage is locked or gone; what was finished is kept.
        MesoscopeError: a trial failed for a reason that would stop every other one too.
    """
    if plan.recipe.loop.devices * plan.recipe.loop.nodes > 1:
        raise UsageError("a search runs one process a trial: start several workers on one --storage instead")
    check(plan.recipe, plan.search, plan.measure)
    manifest = without_test(session.prepared_manifest(plan.recipe), plan.recipe.data.fold)
    make_directory(plan.out)
    kept = keep(manifest, plan.out / "manifest.parquet")
    recipe = settings_from(
        plan.recipe,
        None,
        [f"data.manifests=['{plan.out / 'manifest.parquet'}']", f"loop.monitor={plan.measure}"],
    )
    with told(plan.url):
        study = _study(plan, kept.digest())
        while len(study.get_trials(deepcopy=False, states=DONE)) < plan.trials:
            for number in take_up_lost(study):
                remark(f"trial {number} was lost with its worker; its settings are tried again")
            try:
                study.optimize(lambda trial: _objective(trial, plan, recipe), n_trials=1)
            except KeyboardInterrupt:
                remark("interrupted; finished trials are kept, and the same command goes on")
                return study
            after(study)
    return study


def best_of(study: optuna.Study) -> FrozenTrial | None:
    """The best finished trial; None where there is none."""
    found = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not found:
        return None
    sign = 1 if study.direction is optuna.study.StudyDirection.MINIMIZE else -1
    return min(found, key=lambda trial: sign * (trial.value or 0.0))


def _study(plan: Plan, digest: str) -> optuna.Study:
    facts = {
        "recipe": as_yaml(settings_from(plan.recipe, None, ["data.manifests=[]"])),
        "search": ",".join(str(dimension) for dimension in plan.search),
        "measure": plan.measure,
        "manifest": digest,
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # failures are told as sentences
    study = optuna.create_study(
        storage=open_storage(plan.url),
        study_name=plan.name,
        direction=MEASURES[plan.measure],
        pruner=_pruner(plan),
        load_if_exists=True,
    )
    known = study.user_attrs
    different = [name for name, value in facts.items() if name in known and known[name] != value]
    if different:
        raise UsageError(
            f"the storage holds a search named '{plan.name}' with another {' and '.join(different)}; "
            "choose another --name or --out"
        )
    for name, value in facts.items():
        study.set_user_attr(name, value)
    trials = study.get_trials(deepcopy=False)
    if not trials:  # the recipe as it is comes first: what is found must beat it
        study.enqueue_trial({}, user_attrs={DEFAULTS: True})
    # with the number of trials: a search that is gone on with must not draw the same values again
    seed = None if plan.seed is None else plan.seed + len(trials)
    study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(3, plan.trials // 3)))
    return study


def _pruner(plan: Plan) -> BasePruner:
    epochs = sum(stage.epochs for stage in plan.recipe.stages)
    pruners: dict[str, Callable[[], BasePruner]] = {
        "median": lambda: MedianPruner(n_startup_trials=4, n_warmup_steps=_UNTOUCHED_EPOCHS),
        "hyperband": lambda: HyperbandPruner(min_resource=1, max_resource=max(1, epochs), reduction_factor=3),
        "none": NopPruner,
    }
    return pruners[plan.pruner]()


def _objective(trial: optuna.Trial, plan: Plan, recipe: Recipe) -> float:
    trial.set_user_attr(WORKER, this_worker())
    values = {} if trial.user_attrs.get(DEFAULTS) else suggested(trial, plan.search)
    tried = applied(recipe, values)
    trial.set_user_attr(SETTINGS, _settings(tried))
    known = _same(trial, values)
    if known is not None:
        return _taken_over(trial, known)
    out = plan.out / "trials" / f"{trial.number:04d}"
    shutil.rmtree(out, ignore_errors=True)
    remark(f"trial {trial.number}: {_words(values)}")
    try:
        value = _trained(trial, plan, tried, out)
    except TrainingDiverged as error:
        trial.set_user_attr(ENDED, "diverged")
        raise optuna.TrialPruned(str(error)) from None
    except MesoscopeError as error:
        trial.set_user_attr(ERROR, str(error))
        raise
    finally:
        _without_weights(out)
    return value


def _trained(trial: optuna.Trial, plan: Plan, recipe: Recipe, out: Path) -> float:
    epochs: list[Epoch] = []

    def watch(epoch: Epoch) -> None:
        epochs.append(epoch)
        trial.report(getattr(epoch, f"val_{plan.measure}"), len(epochs))
        if not trial.user_attrs.get(DEFAULTS) and trial.should_prune():
            trial.set_user_attr(ENDED, f"behind after epoch {len(epochs)}")
            raise optuna.TrialPruned

    make_directory(out.parent)
    try:
        session.start(recipe, out, allow_leaks=plan.allow_leaks, command=plan.command, watch=watch)
    finally:
        _note(trial, epochs, plan.measure)
    last = [epoch for epoch in epochs if epoch.stage == recipe.stages[-1].name]
    return float(getattr(_best(last, plan.measure), f"val_{plan.measure}"))


def _note(trial: optuna.Trial, epochs: list[Epoch], measure: str) -> None:
    """What the table says: a trial's own best epoch stands for it, also where it was ended early."""
    trial.set_user_attr("epochs", len(epochs))
    trial.set_user_attr("seconds", round(sum(epoch.seconds for epoch in epochs), 1))
    if epochs:
        best = _best(epochs, measure)
        for name in _FIGURES:
            trial.set_user_attr(name, getattr(best, name))


def _best(epochs: list[Epoch], measure: str) -> Epoch:
    sign = 1 if MEASURES[measure] == "minimize" else -1
    return min(epochs, key=lambda epoch: sign * getattr(epoch, f"val_{measure}"))


def _same(trial: optuna.Trial, values: dict[str, Value]) -> FrozenTrial | None:
    """A finished trial of the same values: training is a function of them, so it would come to the same again."""
    for other in trial.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)):
        if values and not other.user_attrs.get(DEFAULTS) and other.params == values:
            return other
    return None


def _taken_over(trial: optuna.Trial, known: FrozenTrial) -> float:
    for name in (*_FIGURES, "epochs"):
        trial.set_user_attr(name, known.user_attrs[name])
    trial.set_user_attr("seconds", 0.0)
    trial.set_user_attr(ENDED, f"the same as trial {known.number}")
    assert known.value is not None  # noqa: S101 - it is complete
    return known.value


def _settings(recipe: Recipe) -> dict[str, Any]:
    """What the table of trials says of every trial, whatever was searched."""
    first = recipe.stages[0].optimiser
    return {"optimiser": first.name, "rate": first.learning_rate, "model": recipe.model.detector}


def _without_weights(out: Path) -> None:
    """Settings, history and result of a trial stay; checkpoints of a whole search would fill the disk."""
    for directory in ("stages", "tensorboard"):
        shutil.rmtree(out / directory, ignore_errors=True)
    for file in ("model.safetensors", "manifest.parquet"):
        (out / file).unlink(missing_ok=True)


def _words(values: dict[str, Value]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items()) or "the recipe as it is"


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
