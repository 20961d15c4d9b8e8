"""Organizations: tenants, their members, roles and invitations.

In: requests of members. Out: memberships, on which every access to a tenant's rows depends.
Called by routes, and by `auth` when a token or a registration needs one.
"""
