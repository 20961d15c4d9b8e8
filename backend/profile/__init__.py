"""The own account: profile, export of personal data, deletion, own language model.

In: requests of a person about themself. Out: changes of the account, and jobs that export or delete.
Called by routes; reads all features whose rows belong to a person.
"""
