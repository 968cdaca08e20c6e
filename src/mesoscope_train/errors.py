"""The errors of the learning side, below those of the runtime.

* MesoscopeError
  * ExportError           a detector cannot be written as a bundle that keeps its promises
  * LeakError             a manifest leaks between its splits, and nobody said that it may
  * TrainingDiverged      the loss or its gradient is no longer a number
  * UsageError
    * CalibrationError    these pictures cannot calibrate this bundle
    * RecipeError         a recipe, its YAML or its flags do not make a run
    * WeightsError        a file of weights is not what its format says
"""

from __future__ import annotations

from mesoscope.errors import MesoscopeError, UsageError


class ExportError(MesoscopeError):
    """A detector cannot be written as a bundle that keeps its promises."""


class LeakError(MesoscopeError):
    """A manifest leaks between its splits (exit code 1); the message names each kind and how to allow it by name."""


class TrainingDiverged(MesoscopeError):
    """The loss or its gradient is no longer a number; the last good checkpoint was kept."""


class CalibrationError(UsageError):
    """Pictures cannot calibrate a bundle: one class, too few groups, or scores that do not rise with the label."""


class RecipeError(UsageError):
    """A recipe, its YAML file or its flags do not make a run; the message names the way to the key."""


class WeightsError(UsageError):
    """A file is not what its format says: another kind of file, other layers, other shapes."""
