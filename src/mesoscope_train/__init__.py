"""Learning: detectors as torch modules, training and export to bundles. May import `mesoscope`; never the reverse."""
