-- The end of a try at a password.
-- KEYS: the counters that its failure counts in; the first is cleared by a right password. ARGV: the try's id; 'failed',
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
