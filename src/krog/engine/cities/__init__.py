"""A city in files: check, compare, apply and export; one loop over what the nouns let a city declare."""
