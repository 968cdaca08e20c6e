"""Probabilities, thresholds and the inconclusive band, from validation pictures alone. No torch."""
