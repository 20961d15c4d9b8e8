-- enter
-- Returns the milliseconds until the next probe, 0 for none. By the clock of Redis, since those of processes differ.
local state = redis.call('HMGET', KEYS[1], 'faults', 'until')
if tonumber(state[1] or 0) < tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(state[2] or 0) - now
if left > 0 then return left end
redis.call('HSET', KEYS[1], 'until', now + tonumber(ARGV[2]))
return 0

-- failed
-- Counts a fault, and opens the breaker after enough of them in a row.
local faults = redis.call('HINCRBY', KEYS[1], 'faults', 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
if faults < tonumber(ARGV[1]) then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]))
return tonumber(ARGV[2])
