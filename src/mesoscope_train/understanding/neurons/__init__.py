"""What kernels, filters and neurons look for: image filters by name, and pictures that excite them most."""

from __future__ import annotations

from mesoscope_train.understanding.neurons.run import NeuronOptions, check, neuron_sheets

__all__ = ["NeuronOptions", "check", "neuron_sheets"]
