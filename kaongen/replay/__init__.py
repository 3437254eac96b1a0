"""One event made again from its number, and what happened to it as records."""
