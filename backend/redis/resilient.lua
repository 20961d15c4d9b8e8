-- run_probe
-- Tells one run of Redis from others where INFO is not allowed: the address of Lua's table of functions is the same for
-- all clients, and another after each start.
return tostring(redis)
