"""Simulated sensors from measured profiles, deterministic by seed; what comes of them is marked simulated."""
