"""Dashboard: what happened in an organization, in numbers, and as files.

In: rows of all features. Out: computed numbers with the time of their computation, and export jobs with signed links.
"""
