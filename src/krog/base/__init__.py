"""Floor 0: words that every other floor uses; no framework, no database."""
