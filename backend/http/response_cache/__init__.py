"""Response cache: serialised bodies by request key, in several content codings, valid for one generation (R-CACHE).

In: lookups of reads, invalidations of writes. Out: cached responses, or the lease to compute one.
`store` reads and writes, `invalidation` changes generations after commits, `refresh_ahead` computes popular responses.
The pipeline and the fast path call it; the Lua that runs in Redis stands in the `.lua` files.
"""
