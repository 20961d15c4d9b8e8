-- Stores what a response says about single bookmarks as the responses of those bookmarks: five values each, from ARGV
-- `first` on. Every change of a bookmark also changes the organization's generation: where that is unchanged, so are
-- all bookmarks.
local function store_items(prefix, organization, user, reach, first)
    local partition = organization .. ':' .. user .. ':' .. reach .. ':'
    local common = string.sub(generation_of(prefix, organization, user, 'bookmarks-of', ''), 1, 24)
    for at = first, #ARGV, 5 do
        local bookmark, digest, link, seconds = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
        local generation = common .. (redis.call('GET', prefix .. 'generation:bookmark:' .. bookmark) or '--------')
        redis.call('SET', prefix .. 'response:bookmark:' .. partition .. digest, generation .. ARGV[at + 4],
            'EX', seconds)
        redis.call('SET', prefix .. 'link:' .. partition .. link, generation .. bookmark .. ':' .. digest,
            'EX', seconds)
    end
end
