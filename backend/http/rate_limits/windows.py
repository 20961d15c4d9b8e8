"""Three sliding windows checked together: one request counts in all of them, or in none (R-LIMIT 1).

A window is cut into 60 slots, and one slot more is kept, so that in no stretch as long as the window more pass than its
limit; a request weighs on for up to a sixtieth of the window longer. Redis's own clock counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backend.redis.resilient import Command, Script

SECONDS = (60, 3600, 86400)

Limits = tuple[int, int, int]

# Functions of Lua. `key` holds the counts of one subject in one class; `cost`, what to take back when refused, and the
# length in seconds and the limit of each window are numbers. Returns whether it passed, what is left in each window,
# milliseconds to wait.
LUA_CHECK = """
local function check(key, cost, refund, windows)
    local now = redis.call('TIME')
    local seconds = tonumber(now[1]) + tonumber(now[2]) / 1000000
    -- Of each window: the sum of all slots, the number of the last one, and its count. Those before it are in a hash.
    local state, kept = {0, -1, 0, 0, -1, 0, 0, -1, 0}, redis.call('GET', key)
    if kept then state = {struct.unpack('>ddddddddd', kept)} end
    local earlier = key .. ':slots'
    local passes, longest = 1, 0
    for at = 1, 3 do
        local length, limit = windows[2 * at - 1] / 60, windows[2 * at]
        local slot, total, last = math.floor(seconds / length), state[3 * at - 2], state[3 * at - 1]
        if slot > last then
            if state[3 * at] ~= 0 then redis.call('HSET', earlier, at .. ':' .. last % 61, state[3 * at]) end
            state[3 * at] = 0
            local gone = {}
            for old = last - 60, math.min(slot - 61, last) do gone[#gone + 1] = at .. ':' .. old % 61 end
            if #gone > 0 and total ~= 0 then
                for _, one in ipairs(redis.call('HMGET', earlier, unpack(gone))) do
                    total = total - (tonumber(one) or 0)
                end
                redis.call('HDEL', earlier, unpack(gone))
            end
            redis.call('EXPIRE', earlier, math.ceil(windows[5] * 62 / 60))
            state[3 * at - 2], state[3 * at - 1] = total, slot
        else
            slot = last
        end
        if total + cost > limit then
            passes = 0
            local left = total + cost - limit
            for old = slot - 60, slot do
                local one = old == slot and state[3 * at]
                    or tonumber(redis.call('HGET', earlier, at .. ':' .. old % 61)) or 0
                left = left - one
                if left <= 0 then
                    longest = math.max(longest, (old + 61) * length - seconds)
                    break
                end
            end
            if left > 0 then longest = math.max(longest, 61 * length) end
        end
    end
    local answer, change = {passes}, passes == 1 and cost or -refund
    for at = 1, 3 do
        state[3 * at - 2], state[3 * at] = state[3 * at - 2] + change, state[3 * at] + change
        answer[at + 1] = math.max(0, windows[2 * at] - state[3 * at - 2])
    end
    redis.call('SET', key, struct.pack('>ddddddddd', unpack(state)), 'EX', math.ceil(windows[5] * 62 / 60))
    answer[5] = math.ceil(longest * 1000)
    return answer
end
-- The same for several subjects: the request counts for all of them, or for none. Answers what is left to the one that
-- has least, and for how many it was asked.
local function check_all(keys, cost, refund, windows)
    local answers, passes, longest = {}, 1, 0
    for at, key in ipairs(keys) do
        answers[at] = check(key, passes == 1 and cost or -refund, refund, windows)
        longest = math.max(longest, answers[at][5])
        if passes == 1 and answers[at][1] == 0 then
            passes = 0
            for earlier = 1, at - 1 do answers[earlier] = check(keys[earlier], -cost - refund, 0, windows) end
        end
    end
    local answer = answers[1]
    for at = 2, #answers do
        for window = 2, 4 do answer[window] = math.min(answer[window], answers[at][window]) end
    end
    answer[1], answer[5], answer[6] = passes, longest, #keys
    return answer
end
"""
CHECK = Script(
    LUA_CHECK
    + """
local windows = {}
for at = 1, 6 do windows[at] = tonumber(ARGV[2 + at]) end
return check_all(KEYS, tonumber(ARGV[1]), tonumber(ARGV[2]), windows)
"""
)


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass, and what is left.

    Attributes:
        passes: Whether it may.
        limits: Of each window.
        remaining: Of each window, after this request.
        retry_after: Seconds until it may, if it may not.
    """

    passes: bool
    limits: Limits
    remaining: Limits
    retry_after: float = 0.0


def check_command(keys: Sequence[str], limits: Limits, cost: int, refund: int = 0) -> Command:
    """What to ask Redis; `verdict` reads the answer."""
    return CHECK.command(list(keys), cost, refund, *numbers(limits))


def tighter(one: Verdict, other: Verdict) -> Verdict:
    """What two verdicts under the same limits say together."""
    minute, hour, day = map(min, one.remaining, other.remaining)
    wait = max(one.retry_after, other.retry_after)
    return Verdict(one.passes and other.passes, one.limits, (minute, hour, day), wait)


def numbers(limits: Limits) -> list[int]:
    """The length in seconds and the limit of each window, in turn."""
    return [number for pair in zip(SECONDS, limits, strict=True) for number in pair]


def verdict(answer: Any, limits: Limits) -> Verdict:
    """Redis's answer to a check."""
    passes, minute, hour, day, milliseconds, _ = answer
    return Verdict(passes == 1, limits, (minute, hour, day), milliseconds / 1000)
