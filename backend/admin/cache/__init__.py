"""/cache: statistics of the response cache, and clearing it."""
