"""Search: bookmarks by words and by meaning.

In: a query string and filters. Out: one page of ranked bookmarks with highlights.
`service` reads downwards: parse, plan, candidates, fuse, page, highlight, remember.
"""
