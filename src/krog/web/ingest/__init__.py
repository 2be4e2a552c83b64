"""The public port: observations and live values here, everything else handed to the pages."""
