"""The desk: where officials, operators and planners work."""
