"""What a bundle's card says about its SVM."""

from __future__ import annotations

from typing import Any


def svm_section(facts: dict[str, Any]) -> str:
    """Markdown.

    Args:
        facts: of ``svm.json`` (`mesoscope_train.svm.step`).
    """
    best, shown = facts["best"], facts["validation"]
    kind = (
        f"It is exact, with {facts['vectors']:,} support vectors"
        if facts["kind"] == "exact"
        else f"Its kernel is approximated (Nystroem) by {facts['vectors']:,} landmarks, as the training part is large"
    )
    return f"""## SVM

In the place of the output layer stands a support vector machine with a Gaussian kernel on the network's
{facts["features"]:,} scaled features, fitted by scikit-learn on {facts["rows"]:,} training pictures of
{facts["groups"]:,} groups. {kind}. C {best["c"]:g} and gamma {best["gamma"]:g} / {facts["features"]:,} had the best
{facts["measure"]} of {len(facts["tried"])} pairs in cross-validation by group within the training part
(accuracy {best["accuracy"]:.4f}, AUC {best["auc"]:.4f} on held-out groups). The logit is its decision value, and the
map is the gradient of that. In both engines it agrees with scikit-learn's decision function to 1e-4, or this bundle
would not have been written.

| on validation pictures | accuracy at zero | AUC |
|---|---|---|
| SVM | {shown["svm"]["accuracy"]:.4f} | {shown["svm"]["auc"]:.4f} |
| the network's own output layer | {shown["network"]["accuracy"]:.4f} | {shown["network"]["auc"]:.4f} |
"""
