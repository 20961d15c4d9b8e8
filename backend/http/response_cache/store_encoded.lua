-- Adds an encoded variant to a cached response, if that is still the same: valid for the same generation, as long.
local milliseconds, header = redis.call('PTTL', KEYS[1]), redis.call('GETRANGE', KEYS[1], 0, 63)
if milliseconds > 0 and string.sub(header, 33) == ARGV[1] then
    redis.call('SET', KEYS[1] .. ':' .. ARGV[2], header .. ARGV[3], 'PX', milliseconds)
end
