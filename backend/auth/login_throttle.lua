-- begin
-- Begins an attempt at a password, unless a wait is open, or failures and attempts under way together reach the limit;
-- past the limit one attempt at a time follows each wait.
-- KEYS: the counters that can delay it. ARGV: the attempt's id, its lease and the window (ms), then a limit for each key.
-- Returns {ms to wait, 0}, {0, 1} where others are under way, or {0, 0}: the attempt has begun.
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

-- end
-- Ends an attempt at a password.
-- KEYS: the counters that count its failure; a right password clears the first. ARGV: the attempt's id; 'failed',
-- 'right' or 'void'; the window (ms); the first and the longest wait (s); then a limit for each key.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for at, key in ipairs(KEYS) do
    redis.call('ZREM', key .. ':busy', ARGV[1])
    if ARGV[2] == 'failed' then
        redis.call('ZREMRANGEBYSCORE', key, '-inf', now - ARGV[3])
        redis.call('ZADD', key, now, ARGV[1])
        redis.call('PEXPIRE', key, ARGV[3])
        local over = redis.call('ZCARD', key) - ARGV[5 + at]
        if over >= 0 then
            local seconds = math.min(tonumber(ARGV[5]), ARGV[4] * 2 ^ math.min(over, 20))
            redis.call('SET', key .. ':wait', 1, 'EX', string.format('%d', seconds))
        end
    end
end
if ARGV[2] == 'right' then redis.call('DEL', KEYS[1], KEYS[1] .. ':wait') end
