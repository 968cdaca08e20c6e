"""``python -m mesoscope``."""

from mesoscope.cli import main

main()
