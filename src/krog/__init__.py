"""Krog: the open-source operating platform of a city."""

__version__ = "0.1.0"
