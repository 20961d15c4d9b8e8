-- What wrk sends and what it tells at its end: `wrk … --script benchmarks/wrk.lua URL -- KIND NUMBER [FILE]`.
-- NUMBER is another one for each run, so that no two runs send the same requests where requests shall differ.

local count = 0
local kinds = {}

-- The same request again and again: wrk sends it from a buffer.
function kinds.same()
  return nil
end

-- A list that no cache can have seen: the filter lets everything pass, and is another one each time.
function kinds.moments(number)
  local second = number % 86400
  local clock = string.format("%02d:%02d:%02d", second / 3600, second / 60 % 60, second % 60)
  return function()
    count = count + 1
    return wrk.format(nil, string.format("%s&created_before=2100-01-01T%s.%06dZ", wrk.path, clock, count))
  end
end

-- The paths of a file in turn; each run begins elsewhere.
function kinds.paths(number, file)
  local paths = {}
  for line in io.lines(file) do
    paths[#paths + 1] = line
  end
  count = number * 7919
  return function()
    count = count + 1
    return wrk.format(nil, paths[count % #paths + 1])
  end
end

-- A new link each time.
function kinds.create(number)
  wrk.headers["Content-Type"] = "application/json"
  return function()
    count = count + 1
    local url = string.format("https://created.example/%d/%d", number, count)
    return wrk.format("POST", nil, nil, string.format('{"url":"%s","title":"A link","capture":false}', url))
  end
end

function init(arguments)
  request = kinds[arguments[1]](tonumber(arguments[2]), arguments[3])
end

function done(summary, latency)
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "refused": %d, "lost": %d, "p50": %f, "p95": %f, "p99": %f}\n',
    summary.requests, summary.duration / 1e6, errors.status, lost,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3
  ))
end
