-- Sets new generations after a write, and stores the items of its response: they are current if the organization's
-- generation is still the one from before the write.
local prefix, organization, user, reach, count = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[5])
local is_unchanged = generation_of(prefix, organization, user, 'organization', '') == ARGV[4]
for at = 6, 5 + 3 * count, 3 do redis.call('SET', prefix .. ARGV[at], ARGV[at + 1], 'EX', ARGV[at + 2]) end
if is_unchanged then store_items(prefix, organization, user, reach, 6 + 3 * count) end
