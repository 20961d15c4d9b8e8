-- The generation of a response: it changes with everything that the response shows. `bookmark` is the one that the
-- response is about, or empty. Four parts of 8 bytes each: `store_items` replaces the last one.
local function generation_of(prefix, organization, user, subject, bookmark)
    local parts = redis.call('MGET', prefix .. 'generation:all', prefix .. 'generation:person:' .. user,
        prefix .. 'generation:' .. subject .. ':' .. organization, prefix .. 'generation:bookmark:' .. bookmark)
    local generation = ''
    for at = 1, 4 do generation = generation .. (parts[at] or '--------') end
    return generation
end
