-- count_search
-- Counts a search of an organization in a quarter of an hour. `source` names the counts if there are none yet.
local function count_search(counts, organizations, organization, bucket, source, seconds)
    redis.call('HSETNX', counts, 'source', source)
    redis.call('HINCRBY', counts, bucket, 1)
    redis.call('EXPIRE', counts, seconds)
    redis.call('SADD', organizations, organization)
end
