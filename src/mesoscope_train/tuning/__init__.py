"""Searching a recipe's settings with Optuna: what is tried, how it is run, what came of it.

`space` says what is searched, `storage` keeps trials where a kill cannot take them, `search` runs them, `trials` is
their table, `figures` and `page` show it. Nothing here can reach test pictures: `data` cuts them off first.
"""
