-- credentials
-- Functions that look up a session and its person, or an API token, its person, and whether this is its first use within
-- `seconds`. If these are cached, the person, the organization (their personal one, or the token's) and the access of
-- the credential follow, as `Actor.reach` names it. Signatures are not checked here: what Redis looks up with these
-- values counts only for the actor that signed entries name.
local function session(prefix, id, user)
    local entries = redis.call('MGET', prefix .. 'session:' .. id, prefix .. 'user:' .. user)
    local is_live = entries[1] and string.sub(entries[1], 1, 1) == '+'
    local organization = is_live and entries[2] and string.match(entries[2], '^%d+')
    if not organization then return entries end
    return entries, user, organization, 'login'
end
-- The person of a token, if it is cached.
local function owner_of(prefix, hash)
    return string.match(redis.call('GET', prefix .. 'token:' .. hash) or '', '^(%d+):')
end
local function token(prefix, hash, seconds)
    local entry = redis.call('GET', prefix .. 'token:' .. hash)
    local user, organization, reach = string.match(entry or '', '^(%d+):(%d+):([%w-]+){')
    if not user then return {entry} end
    local owner = redis.call('GET', prefix .. 'user:' .. user)
    local first = redis.call('SET', prefix .. 'token-used:' .. hash, 1, 'NX', 'EX', seconds)
    if not owner or not string.match(owner, '^%d+') then return {entry, owner, first} end
    return {entry, owner, first}, user, organization, reach
end

-- put
-- Stores an entry where there is none, or in place of one that was rejected. An invalidation stays.
local entry = redis.call('GET', KEYS[1])
if not entry or entry == ARGV[3] then redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) end
