"""The web client: a shell at the addresses of its screens, and the modules, styles and icons that it loads.

In come GET requests for pages, before Flask; out go files that are read, hashed and compressed once for each process.
Nothing here knows a person: the client speaks to the API like any other. Only the application calls it;
docs/web.md tells how the client is built.
"""
