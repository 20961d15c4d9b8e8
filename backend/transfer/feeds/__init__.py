"""Feeds: a saved filter as an Atom document at a secret URL, which its owner can revoke.

Reading one takes no login: the token in the address stands for its owner, whose rights are looked up each time.
"""
