"""Mail: an outbox in PostgreSQL, and the worker that sends it over SMTP.

In: messages of features, in the transaction that asks for them. Out: mails, bounded by mailbox and domain.
Called by `auth` and `organizations`.
"""
