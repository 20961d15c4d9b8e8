"""Registration: a new account and its personal organization, logged in.

In: an address, a name and a password. Out: a session, and the mail that asks to verify the address.
Stands above `auth` and `organizations`, since it makes rows of both; called by its route and by the command line.
"""
