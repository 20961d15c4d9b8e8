-- Acquires one of a subject's slots, or extends the lease of the one that is held.
-- KEYS: the subject's slots, by when their leases end. ARGV: the holder's id, how many slots there are, the lease in ms.
-- Answers 1, or 0 where others hold all slots.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
