"""The Open API: everything that pages show, for programs, through the same door."""
