"""Checks whether links that were captured still lead to a page; off unless LINK_CHECK_DAYS is set.

In: captured bookmarks whose last look is long ago. Out: `capture.status = failed` for dead links, and back.
Called by the scheduler; fetches as capture does, without reading pages.
"""
