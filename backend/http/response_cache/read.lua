-- One lookup; ARGV are the arguments of `look_up`, then ETags.
local etags = {}
for at = 11, #ARGV do etags[#etags + 1] = ARGV[at] end
return look_up(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9] == '1',
    ARGV[10], etags)
