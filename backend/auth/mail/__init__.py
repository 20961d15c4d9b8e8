"""Account changes by mail: verify an address, reset a password.

In: mailed tokens. Out: confirmed addresses and new passwords. Called by the routes under /auth.
"""
