"""Tables: lists written as CSV, XLSX and JSON, and the same files read back as officials make them. Pure."""
