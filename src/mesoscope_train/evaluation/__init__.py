"""Evaluation: bundles on manifests, as numbers with intervals, figures, tables and one page. No torch.

    manifests x bundles ─► scoring ─► scores.parquet ─► measuring ─► metrics.json ─► figures, tables, page

Every number and figure is made from ``scores.parquet`` alone; the formulas are `mesoscope.metrics`.
"""
