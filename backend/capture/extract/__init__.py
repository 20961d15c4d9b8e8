"""Extraction: from fetched bytes to title, text, metadata and reader HTML.

In: a `FetchedPage`. Out: a `Reading`, or the reason why there is none. Pure: no database, no network.
Called by `capture` in processes of their own, since a hostile page may kill or hang them.
"""
