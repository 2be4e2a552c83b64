"""Sensors simulated from measured profiles: deterministic by seed, marked as simulated."""
