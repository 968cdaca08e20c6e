"""Mesoscope: was this picture, face or video manipulated or generated, how sure is that, and why."""

__version__ = "0.1.0"
