-- Admits a request: what the limits say, what is known of the caller, and the cached response; each false where it was
-- not asked for, the last also where the request is refused or its caller is not known. With the response goes the
-- partition that it was read for (`CachePartition.name`). Follows the functions of rate limits, of the authenticator and
-- of the response cache.
local prefix, limited = ARGV[1], false
if ARGV[2] ~= '' then
    local windows = {}
    for at = 1, 6 do windows[at] = tonumber(ARGV[3 + at]) end
    local subjects = {prefix .. ARGV[2]}
    -- A token's requests count for its person too.
    local owner = ARGV[10] == 'token' and owner_of(prefix, ARGV[11])
    if owner then subjects[2] = prefix .. string.match(ARGV[2], '^limit:[^:]+:') .. 'user:' .. owner end
    limited = check_all(subjects, tonumber(ARGV[3]), 0, windows)
end
local known, user, organization, reach = false, nil, nil, nil
if ARGV[10] == 'session' then
    known, user, organization, reach = session(prefix, ARGV[11], ARGV[12])
elseif ARGV[10] == 'token' then
    known, user, organization, reach = token(prefix, ARGV[11], ARGV[13])
end
if ARGV[15] == '' or not user or (limited and limited[1] == 0) then return {limited, known, false} end
if ARGV[14] ~= '' then organization = ARGV[14] end
local partition = organization .. ':' .. user .. ':' .. reach
if ARGV[15] == 'write' then
    return {limited, known, {'!', generation_of(prefix, organization, user, 'organization', '')}, partition}
end
if ARGV[20] ~= '' then
    local popular = prefix .. 'asked:' .. partition
    if redis.call('ZINCRBY', popular, 1, ARGV[20]) == '1' then redis.call('EXPIRE', popular, ARGV[21]) end
end
local etags = {}
for at = 23, #ARGV do etags[#etags + 1] = ARGV[at] end
return {limited, known,
    look_up(prefix, ARGV[15], organization, user, reach, ARGV[16], ARGV[17], ARGV[18], ARGV[19], true, ARGV[22], etags),
    partition}
