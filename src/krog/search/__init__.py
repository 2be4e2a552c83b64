"""Search over everything: one table of what can be found, kept current from the journal."""
