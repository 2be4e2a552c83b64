"""People and places as pages show them."""
