"""Int8 copies of bundles: smaller and faster graphs, and what that costs, measured."""
