"""What administrators do for the whole server."""
