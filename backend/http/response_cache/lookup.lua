-- Looks a response up. Its key holds generation, ETag and identity body in one string; `key:br` and so on hold the same
-- with the body in that content coding. A link is cached as the bookmark that it leads to, and valid as long as that
-- bookmark's response.
-- Replies {'+', etag .. body} on a hit in the coding asked for, {'+', etag .. identity body, key} if there is none in
-- that coding, {'=', etag} if the client has it, {'!', generation} on a miss (the caller computes the response, under a
-- lease), {'~'} if another process holds the lease. Counts hits and misses of clients' requests (`counted`).
local function look_up(prefix, namespace, organization, user, reach, subject, bookmark, digest, lease, counted, coding,
        etags)
    local partition = organization .. ':' .. user .. ':' .. reach .. ':'
    local name = 'response:' .. namespace .. ':' .. partition .. digest
    local key, generation = prefix .. name, nil
    if subject == 'link' then
        local link = redis.call('GET', prefix .. 'link:' .. partition .. digest)
        key = nil
        if link then
            local target, target_digest = string.match(string.sub(link, 33), '^(%d+):(.*)$')
            generation = generation_of(prefix, organization, user, 'bookmarks-of', target)
            if string.sub(link, 1, 32) == generation then
                key = prefix .. 'response:' .. namespace .. ':' .. partition .. target_digest
            end
        end
    else
        generation = generation_of(prefix, organization, user, subject, bookmark)
    end
    local cached, identity_key = nil, nil
    if key and coding ~= 'identity' then
        cached = redis.call('GET', key .. ':' .. coding)
        if not cached or string.sub(cached, 1, 32) ~= generation then cached, identity_key = nil, key end
    end
    if key and not cached then cached = redis.call('GET', key) end
    if cached and string.sub(cached, 1, 32) == generation then
        if counted then redis.call('HINCRBY', prefix .. 'cache:counts', namespace .. ':hits', 1) end
        local current = string.sub(cached, 33, 64)
        for _, etag in ipairs(etags) do
            if etag == current or etag == '*' then return {'=', current} end
        end
        return {'+', string.sub(cached, 33), identity_key}
    end
    if redis.call('SET', prefix .. 'making:' .. name, 1, 'NX', 'PX', lease) then
        if counted then redis.call('HINCRBY', prefix .. 'cache:counts', namespace .. ':misses', 1) end
        if subject == 'link' then generation = generation_of(prefix, organization, user, 'organization', '') end
        return {'!', generation}
    end
    return {'~'}
end
