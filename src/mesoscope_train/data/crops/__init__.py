"""Faces out of videos and pictures, as crops with a manifest of their own: `mesoscope data faces`.

`options` says what is wanted, `cutting` does it for one file, `processes` spreads the files over processes,
`journal` remembers what is finished, `finishing` and `summary` tell what came out, and `running.cut_faces` joins
them. Nothing is imported here: each process of a run would have to load it.
"""
