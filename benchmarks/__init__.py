"""Measures, printed as JSON with machine and load; never timed tests."""
