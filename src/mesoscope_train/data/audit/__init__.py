"""Whether a manifest can be trusted: leaks between splits, label conflicts, unreadable files, shortcuts."""
