"""Dashboard: the feed of activity, metrics and statistics of an organization, insights for a person, and exports.

In: who asks, and filters, intervals and time zones. Out: numbers counted from rows, never estimated; null with a reason
where nothing counts them; files by jobs. Called by routes; `docs/dashboard.md` defines every number.
"""
