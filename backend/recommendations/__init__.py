"""Recommendations: bookmarks that fit a subject, with reasons.

In: a project, task, bookmark, text or person. Out: ranked bookmarks of several engines, fused and explained.
`service` reads downwards: subject, user profile, candidates, scores, fusion, reasons.
"""
