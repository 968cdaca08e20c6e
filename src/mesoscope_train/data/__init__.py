"""From published data sets, folders and videos to an audited manifest.

`importers` make manifests of what is on disk, `crops` cuts faces out of it, `splitting` assigns splits, folds and
balanced samples, `audit` looks for leaks and shortcuts, `explore` shows it all on one page. Nothing here imports
torch.
"""
