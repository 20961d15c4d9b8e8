"""Administration of the server: accounts, and the state of the cache.

In: requests of administrators, and the operator's commands. Out: accounts that are disabled or enabled, statistics.
Called by the web tier and by `cli`.
"""
