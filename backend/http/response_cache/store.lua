-- Stores a response (ETag and identity body), its encoded variant and its items; ends the lease of its lookup.
local prefix, organization, user, reach, generation = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local name, seconds, identity, coding, encoded = ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
if identity ~= '' then redis.call('SET', prefix .. name, generation .. identity, 'EX', seconds) end
if coding ~= '' then redis.call('SET', prefix .. name .. ':' .. coding, generation .. encoded, 'EX', seconds) end
redis.call('DEL', prefix .. 'making:' .. name)
if #ARGV > 9 and generation_of(prefix, organization, user, 'organization', '') == generation then
    store_items(prefix, organization, user, reach, 10)
end
