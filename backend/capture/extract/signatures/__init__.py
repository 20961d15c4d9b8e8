"""Signatures: pages of well-known generators and sites, and where their text stands.

In: the names of classes and ids of a page, then its prepared tree. Out: the elements that hold its text, in order, or
nothing. A signature names markup first, since one generator serves a thousand hosts. Called by `article`.
"""
