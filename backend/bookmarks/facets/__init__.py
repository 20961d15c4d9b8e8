"""Facets: how many of some bookmarks have each tag, site, year, language and state.

In come the conditions of a list, or the ids that a search has found; out go the most frequent values of each facet with
their counts. /bookmarks/facets and the search call it.
"""
