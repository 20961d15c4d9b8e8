"""Extraction: from fetched bytes to title, text, metadata and reader HTML.

In: a `FetchedPage`. Out: an `ExtractionResult`: the page, or the reason why there is none. Pure: no database, no
network. Called by `capture` in separate processes, since a hostile page may kill or hang them.
"""
