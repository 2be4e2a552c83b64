"""Tables that come back: uploads of registers, indicator series and plan branches, looked at, accepted, undone."""
