"""Digests: a weekly mail for those who asked for it, with new bookmarks, due tasks and two recommendations.

In: people whose week begins, found by an index of due times. Out: one mail a week in the outbox, or none where there is
nothing to say; unsubscribing by a signed link. Called by the scheduler's pass, by routes without a login, and by
`profile`, which switches digests on and off.
"""
