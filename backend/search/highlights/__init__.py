"""Highlights: matches of a query in texts, and the best passages."""
