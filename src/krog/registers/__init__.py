"""Noun: registers, typed collections of places and things with their history."""
