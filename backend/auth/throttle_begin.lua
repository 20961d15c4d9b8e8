-- Whether a try at a password may begin. It may where nothing has to wait, and failures and tries under way together
-- stay below the limit; past the limit, one try at a time follows each wait.
-- KEYS: the counters that can hold it up. ARGV: the try's id, its lease and the window (ms), then a limit for each key.
-- Answers {ms to wait, 0}, {0, 1} where others are under way, or {0, 0}: the try has begun.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wait = 0
for _, key in ipairs(KEYS) do wait = math.max(wait, redis.call('PTTL', key .. ':wait')) end
if wait > 0 then return {wait, 0} end
for at, key in ipairs(KEYS) do
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[3])
    redis.call('ZREMRANGEBYSCORE', key .. ':busy', '-inf', now)
    local left = math.max(1, ARGV[3 + at] - redis.call('ZCARD', key))
    if redis.call('ZCARD', key .. ':busy') >= left then return {0, 1} end
end
for _, key in ipairs(KEYS) do
    redis.call('ZADD', key .. ':busy', now + ARGV[2], ARGV[1])
    redis.call('PEXPIRE', key .. ':busy', ARGV[2])
end
return {0, 0}
