"""Dashboard: the feed of activity, metrics, statistics and insights of an organization, and its tables as files.

In: who asks, and filters, intervals and time zones. Out: numbers counted from rows, never estimated, with the time of
their computation; null with a reason where nothing counts them; export jobs with signed links. Called by routes;
`docs/dashboard.md` and `docs/insights.md` define every number.
"""
