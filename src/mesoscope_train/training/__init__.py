"""One training run: pictures in order, a task, a loop that survives a kill, and a directory that tells all of it."""
