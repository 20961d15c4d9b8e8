-- Count one request by itself; follows windows.lua. ARGV: cost, refund, then length and limit of each window.
local windows = {}
for at = 1, 6 do windows[at] = tonumber(ARGV[2 + at]) end
return check_all(KEYS, tonumber(ARGV[1]), tonumber(ARGV[2]), windows)
