-- store
-- Replaces searches that are prefixes of this one and younger than the typing time, and trims the history.
local searches = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for at = 1, #searches, 2 do
    local previous, moment = searches[at], tonumber(searches[at + 1])
    if moment > tonumber(ARGV[2]) - tonumber(ARGV[3]) and string.sub(ARGV[1], 1, #previous) == previous then
        redis.call('ZREM', KEYS[1], previous)
    end
end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[4]))
redis.call('EXPIRE', KEYS[1], ARGV[5])
