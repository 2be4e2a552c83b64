"""Noun: datasets with their meaning, owner, openness; and the only way out, `catalogue.door`."""
