"""Activity log: who did what in an organization, and counts of it by quarter of an hour.

In: events that services record with a change. Out: rows of `activity`, written in the transaction of the change, and
the roll-ups that statistics read. Called by the services of features; `dashboard` reads the rows.
"""
