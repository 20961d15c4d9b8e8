-- Sliding windows of a minute, an hour and a day: one request counts in all of them, or in none.

-- Count a request of one subject in one class. `key` holds the counts; `cost` is what the request takes, `refund` what
-- is taken back when it is refused; `windows` holds the length in seconds and the limit of each window in turn.
-- Returns whether it passes, what remains in each window, and the milliseconds to wait.
local function check(key, cost, refund, windows)
    local now = redis.call('TIME')
    local seconds = tonumber(now[1]) + tonumber(now[2]) / 1000000
    -- Of each window: the sum of all slots, the number of the last slot, and its count. Earlier slots are in a hash.
    local state, packed = {0, -1, 0, 0, -1, 0, 0, -1, 0}, redis.call('GET', key)
    if packed then state = {struct.unpack('>ddddddddd', packed)} end
    local earlier = key .. ':slots'
    local passes, longest = 1, 0
    for at = 1, 3 do
        local length, limit = windows[2 * at - 1] / 60, windows[2 * at]
        local slot, total, last = math.floor(seconds / length), state[3 * at - 2], state[3 * at - 1]
        if slot > last then
            if state[3 * at] ~= 0 then redis.call('HSET', earlier, at .. ':' .. last % 61, state[3 * at]) end
            state[3 * at] = 0
            local expired = {}
            for old = last - 60, math.min(slot - 61, last) do expired[#expired + 1] = at .. ':' .. old % 61 end
            if #expired > 0 and total ~= 0 then
                for _, count in ipairs(redis.call('HMGET', earlier, unpack(expired))) do
                    total = total - (tonumber(count) or 0)
                end
                redis.call('HDEL', earlier, unpack(expired))
            end
            redis.call('EXPIRE', earlier, math.ceil(windows[5] * 62 / 60))
            state[3 * at - 2], state[3 * at - 1] = total, slot
        else
            slot = last
        end
        if total + cost > limit then
            passes = 0
            local excess = total + cost - limit
            for old = slot - 60, slot do
                local count = old == slot and state[3 * at]
                    or tonumber(redis.call('HGET', earlier, at .. ':' .. old % 61)) or 0
                excess = excess - count
                if excess <= 0 then
                    longest = math.max(longest, (old + 61) * length - seconds)
                    break
                end
            end
            if excess > 0 then longest = math.max(longest, 61 * length) end
        end
    end
    local reply, change = {passes}, passes == 1 and cost or -refund
    for at = 1, 3 do
        state[3 * at - 2], state[3 * at] = state[3 * at - 2] + change, state[3 * at] + change
        reply[at + 1] = math.max(0, windows[2 * at] - state[3 * at - 2])
    end
    redis.call('SET', key, struct.pack('>ddddddddd', unpack(state)), 'EX', math.ceil(windows[5] * 62 / 60))
    reply[5] = math.ceil(longest * 1000)
    return reply
end

-- Count a request of several subjects: it counts for all of them, or for none. Returns the least that remains to any
-- of them in each window, the longest wait, and the number of subjects.
local function check_all(keys, cost, refund, windows)
    local replies, passes, longest = {}, 1, 0
    for at, key in ipairs(keys) do
        replies[at] = check(key, passes == 1 and cost or -refund, refund, windows)
        longest = math.max(longest, replies[at][5])
        if passes == 1 and replies[at][1] == 0 then
            passes = 0
            for earlier = 1, at - 1 do replies[earlier] = check(keys[earlier], -cost - refund, 0, windows) end
        end
    end
    local reply = replies[1]
    for at = 2, #replies do
        for window = 2, 4 do reply[window] = math.min(reply[window], replies[at][window]) end
    end
    reply[1], reply[5], reply[6] = passes, longest, #keys
    return reply
end
