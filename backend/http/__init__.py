"""The way of a request: what every declared route passes before its view and after it.

In: WSGI requests, and routes declared by `operation`. Out: responses, cached and compressed.
`pipeline` reads downwards; `fast_path` answers plain cache hits before Flask begins. Uses no feature.
"""
