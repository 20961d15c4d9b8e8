"""Logs: JSON lines in production, coloured text in development, an access line for each request."""
