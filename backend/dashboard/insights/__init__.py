"""Insights for a person: what they read, what waits, what they save most and what they have left lying.

In: the bookmarks, tags and projects of the person in an organization. Out: counts, each by one statement whose number
does not depend on rows. Called by the route; docs/insights.md defines every number.
"""
