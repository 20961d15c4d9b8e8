-- record
-- Counts the search. If it has a text, replaces searches that are prefixes of this one and younger than the typing time,
-- and trims the history.
count_search(KEYS[2], KEYS[3], ARGV[6], ARGV[7], ARGV[8], ARGV[9])
if ARGV[1] == '' then return end
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
