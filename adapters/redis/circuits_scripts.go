package redis

import "github.com/redis/go-redis/v9"

// The kinds of fields: o ends when an open circuit may be probed, w when one that waits for its probe is forgotten, l with the lease, h when nobody need know any more
// that a probe closed it, and r with a rest. A value is when it ends, how long it was to last, both in microseconds, and whose it is.
const circuitReckoning = `
local key, clock = KEYS[1], redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])

local function text(n) return string.format('%.0f', n) end

-- What is left of a field, and whose it is; nothing of one that has ended or cannot be read. By a server's clock that was set back no span grows.
local function left(field, value)
  value = value or redis.call('HGET', key, field)
  if not value then return 0 end
  local ends, lasts, owner = string.match(value, '^(%d+) (%d+) (.*)$')
  ends, lasts = tonumber(ends), tonumber(lasts)
  if ends and ends - now > lasts then
    ends = now + lasts
    redis.call('HSET', key, field, text(ends) .. ' ' .. text(lasts) .. ' ' .. owner)
  end
  if not ends or ends <= now then
    redis.call('HDEL', key, field)
    return 0
  end
  return ends - now, owner
end
`

// circuitChange does one thing to one circuit.
var circuitChange = redis.NewScript(circuitReckoning + `
local what, node, d, name = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local waiting, healed, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local o, w, l, h, r = 'o:' .. name, 'w:' .. name, 'l:' .. name, 'h:' .. name, 'r:' .. name

-- When there are too many, what has ended makes room, else what ends first.
local function room()
  if redis.call('HLEN', key) < most then return end
  local fields, rest = redis.call('HGETALL', key), {}
  for i = 1, #fields, 2 do
    local us = left(fields[i], fields[i+1])
    if us > 0 then rest[#rest+1] = {fields[i], us} end
  end
  if #rest < most then return end
  table.sort(rest, function(a, b) return a[2] < b[2] end)
  for i = 1, #rest - most + 64 do redis.call('HDEL', key, rest[i][1]) end
end

-- Sets a field that is to last at least so long.
local function set(field, us, owner)
  if left(field) >= us then return end
  room()
  redis.call('HSET', key, field, text(now + us) .. ' ' .. text(us) .. ' ' .. (owner or ''))
  local ms = math.ceil(us / 1000) + 1000
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, text(ms)) end
end

local leased, owner = left(l)
local mine = leased > 0 and owner == node

if what == 'open' then
  if d == 0 and left(h) > 0 then return 0 end
  redis.call('HDEL', key, h)
  if mine then redis.call('HDEL', key, l) end
  if d > 0 then set(o, d) end
  set(w, d + waiting)
elseif what == 'close' then
  if mine then
    redis.call('HDEL', key, o, w, l)
    set(h, healed)
  end
elseif what == 'free' then
  if mine then redis.call('HDEL', key, l) end
elseif what == 'rest' then
  set(r, d)
elseif what == 'lease' then
  if left(h) > 0 then return 2 end
  if leased > 0 and not mine or not mine and left(o) > 0 then return 0 end
  redis.call('HDEL', key, l)
  set(l, d, node)
  set(w, waiting)
  return 1
end
return 0
`)

// circuitList answers every field, what is left of it, and whether it is the node's.
var circuitList = redis.NewScript(circuitReckoning + `
local fields, answer = redis.call('HGETALL', key), {}
for i = 1, #fields, 2 do
  local us, owner = left(fields[i], fields[i+1])
  if us > 0 then
    answer[#answer+1] = fields[i]
    answer[#answer+1] = us
    answer[#answer+1] = owner == ARGV[1] and 1 or 0
  end
end
return answer
`)
