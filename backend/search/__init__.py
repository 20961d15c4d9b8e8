"""Search: bookmarks by word and by meaning.

In: a query string. Out: one page of ranked bookmarks with highlights.
`service` reads downwards: parse, plan, candidates, fuse, page, highlight, remember.
"""
