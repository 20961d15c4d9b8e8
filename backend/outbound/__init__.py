"""Outbound HTTP: checked addresses, one deadline, bounded bodies (DESIGN 7).

In: URLs of people. Out: responses of servers that may be hostile.
Called by `capture`, `ai` and `profile`; nothing else opens a connection to an address that a person chose.
"""
