"""Capture: fetch the page behind a link, extract its text, store the result.

In: bookmarks whose `capture_due_at` has come. Out: page text, metadata, and the words for the search document.
Called by the worker's capture lane; `runner` is the loop, `turns` chooses, `fetch` and `extract` read.
"""
