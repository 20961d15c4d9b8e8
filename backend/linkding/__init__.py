"""The API of linkding 1.46 under /linkding, for the clients that people have of it.

In come requests as linkding takes them, with a Fuze API token; out go linkding's fields, pages and refusals. Everything
is done by the services of bookmarks and tags. Only the application calls it; docs/linkding.md tells what differs.
"""
