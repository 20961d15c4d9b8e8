"""Capture: fetches the page behind a link, extracts its text, stores the result.

In: bookmarks whose `capture_due_at` has come. Out: page text, metadata, and the page's part of the search document.
Called by the worker's capture lane; `runner` is the loop, `turns` claims, `fetch` and `extract` read pages.
"""
