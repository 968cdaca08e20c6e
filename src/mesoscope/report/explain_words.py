"""How to read an explanation, and how not to; for every document of explanations."""

from __future__ import annotations

READING = (
    "A map shows where this network’s score came from. It does not show which pixels were changed, and it is no "
    "proof: a score can rest on hair, background or the edge of the crop.",
    "Read the range before the colours. Colours end at the strongest value of this map or at its floor, whichever is "
    "larger; the floor is what the same method shows on plain grey, where there is nothing to see.",
    "Deletion and insertion test a map: cells are taken away (or put back) in its order, and the score must move "
    "sooner than in the order of the same map moved elsewhere at random. Where it does not, the figure is drawn "
    "faintly and says “no localised evidence”: then its bright places mean nothing. One in twenty maps of no worth "
    "passes by chance.",
    "The rank correlation with networks of random weights tells whether the map depends on what was learned. Near 1 "
    "it shows the picture’s own edges and bright places.",
    "Feature maps show each channel by its own mean and standard deviation: colours of two channels, or of two "
    "pictures, cannot be compared, and a bright place says neither “fake” nor “real”. They are no evidence.",
    "Two methods that disagree about a place are both saying that the place is uncertain.",
)
