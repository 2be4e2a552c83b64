"""Noun: things, sensors, observed properties and datastreams; their observations lie in the lake."""
