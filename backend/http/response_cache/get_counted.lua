-- Read a computed value, and count a hit or a miss among those of the response cache. KEYS: the value's, the counts'.
local value = redis.call('GET', KEYS[1])
redis.call('HINCRBY', KEYS[2], value and 'computed:hits' or 'computed:misses', 1)
return value
