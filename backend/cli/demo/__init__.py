"""Demo: a small collection to try Fuze with.

In: `collection.toml`. Out: an account with bookmarks, projects and tasks. Called by the command line.
"""
