"""A small collection to try Fuze with."""
