"""Accounts, sessions and API tokens: who sends a request.

In: credentials of requests. Out: an `Actor`, and the mails that follow from changes of an account.
Called by `http` through the authenticator that `create_app` hands in, and by the routes under /auth.
"""
