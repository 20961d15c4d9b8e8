"""/cache: statistics of the response cache, and clearing it.

In: requests of administrators. Out: hits and misses by namespace. Called by routes.
"""
