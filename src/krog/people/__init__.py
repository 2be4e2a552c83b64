"""Noun: territories, organisations, offices, role-holders, accounts, API keys."""
