-- One script for every operation: Redis runs it to its end before anything else, so each call is atomic.
--   KEYS[1]  the namespace in braces: all keys hash to one slot of a cluster
--   ARGV[1]  the operation, then its arguments
-- Entries are hashes `e:KEY` (v value, n version, x expiry in ms or ''); `keys` orders their names, `exp` their expiries.
-- Leases are hashes `l:NAME` (h holder, t token, x expiry in ms); `leases` orders their names.
local ns = KEYS[1] .. ':'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function whole(n) return string.format('%.0f', n) end

-- Versions and tokens: at least the clock in microseconds, so that they also grow when the server lost its data.
local function next_seq()
  local prev = tonumber(redis.call('GET', ns .. 'seq') or '0')
  local seq = math.max(prev + 1, time[1] * 1000000 + time[2])
  redis.call('SET', ns .. 'seq', whole(seq))
  return whole(prev), whole(seq)
end

local function read(key)
  local e = redis.call('HMGET', ns .. 'e:' .. key, 'v', 'n', 'x')
  if not e[1] or (e[3] ~= '' and tonumber(e[3]) <= now) then return nil end
  return e
end

-- A reader sees from `prev` whether it missed a change.
local function announce(key)
  local prev, seq = next_seq()
  redis.call('PUBLISH', ns .. 'changes', prev .. ' ' .. seq .. ' ' .. key)
  return seq
end

local function put(key, value, expires)
  local seq = announce(key)
  redis.call('HSET', ns .. 'e:' .. key, 'v', value, 'n', seq, 'x', expires)
  redis.call('ZADD', ns .. 'keys', 0, key)
  if expires == '' then redis.call('ZREM', ns .. 'exp', key) else redis.call('ZADD', ns .. 'exp', expires, key) end
  return seq
end

local function bury(key)
  announce(key)
  redis.call('DEL', ns .. 'e:' .. key)
  redis.call('ZREM', ns .. 'keys', key)
  redis.call('ZREM', ns .. 'exp', key)
end

local function sweep(limit)
  local old = redis.call('ZRANGEBYSCORE', ns .. 'exp', '-inf', whole(now), 'LIMIT', 0, limit)
  for _, key in ipairs(old) do bury(key) end
end

local function expiry(ttl)
  if ttl == '' then return '' end
  return whole(now + tonumber(ttl))
end

-- Milliseconds are cut off, so one more: a lease must not end before its holder stops believing in it.
local function lease_end(ttl) return whole(now + tonumber(ttl) + 1) end

local function lease_of(name)
  local l = redis.call('HMGET', ns .. 'l:' .. name, 'h', 't', 'x')
  if not l[1] or tonumber(l[3]) <= now then return nil end
  return l
end

local function is_fenced(name, token)
  if name == '' then return false end
  local l = lease_of(name)
  return not l or l[2] ~= token
end

local function is_number(text)
  local body = string.match(text, '^%-?(%d+)$') or string.match(text, '^%-?(%d+)[.eE]')
  if not body or (#body > 1 and string.sub(body, 1, 1) == '0') then return nil end
  if not string.match(text, '^%-?%d+%.?%d*[eE]?[+-]?%d*$') or not string.match(text, '%d$') then return nil end
  return tonumber(text)
end

local function number_text(n)
  if n == 0 then return '0' end
  if n == math.floor(n) and math.abs(n) < 9007199254740992 then return whole(n) end
  for digits = 15, 17 do
    local text = string.format('%.' .. digits .. 'g', n)
    if tonumber(text) == n then return text end
  end
end

local ops = {}

function ops.get(key)
  local e = read(key)
  if e then return { 'ok', e[1], e[2], e[3] } end
  return { 'none' }
end

function ops.set(key, value, ttl, lease, token)
  sweep(10)
  if is_fenced(lease, token) then return { 'fenced' } end
  return { 'ok', put(key, value, expiry(ttl)) }
end

function ops.delete(key, lease, token)
  sweep(10)
  if is_fenced(lease, token) then return { 'fenced' } end
  if not read(key) then return { 'none' } end
  bury(key)
  return { 'ok' }
end

-- mode: absent, version, value; action: set, delete
function ops.cas(key, mode, expected, action, value, ttl, lease, token)
  sweep(10)
  if is_fenced(lease, token) then return { 'fenced' } end
  local e = read(key)
  local holds = (mode == 'absent' and not e) or (mode == 'version' and e and e[2] == expected)
    or (mode == 'value' and e and e[1] == expected)
  if not holds then
    if e then return { 'conflict', e[1], e[2], e[3] } end
    return { 'conflict' }
  end
  if action == 'set' then return { 'ok', put(key, value, expiry(ttl)) } end
  if e then bury(key) end
  return { 'ok', '0' }
end

function ops.incr(key, by)
  sweep(10)
  local e = read(key)
  local old = 0
  if e and e[1] ~= 'null' then old = is_number(e[1]) end
  if not old then return { 'nan', string.sub(e[1], 1, 40) } end
  local sum = old + tonumber(by)
  if sum ~= sum or sum == math.huge or sum == -math.huge then return { 'nan', e[1] } end
  local text = number_text(sum)
  put(key, text, e and e[3] or '')
  return { 'ok', text }
end

-- One page: from (inclusive or exclusive) to end, as ZRANGEBYLEX writes them.
function ops.list(from, to, limit)
  local answer = { 'ok' }
  local keys = redis.call('ZRANGEBYLEX', ns .. 'keys', from, to, 'LIMIT', 0, limit)
  for _, key in ipairs(keys) do
    local e = read(key)
    answer[#answer + 1] = key
    for i = 1, 3 do answer[#answer + 1] = e and e[i] or '' end
  end
  return answer
end

function ops.many(...)
  local answer = { 'ok' }
  for _, key in ipairs({ ... }) do
    local e = read(key)
    answer[#answer + 1] = key
    for i = 1, 3 do answer[#answer + 1] = e and e[i] or '' end
  end
  return answer
end

function ops.acquire(name, holder, ttl)
  local l = lease_of(name)
  if l and l[1] ~= holder then return { 'held', l[1], l[2], whole(l[3] - now) } end
  -- A token is a change that nobody is told of: the readers must not take it for a gap.
  local prev, seq = next_seq()
  redis.call('PUBLISH', ns .. 'changes', prev .. ' ' .. seq .. ' ')
  redis.call('HSET', ns .. 'l:' .. name, 'h', holder, 't', seq, 'x', lease_end(ttl))
  redis.call('ZADD', ns .. 'leases', 0, name)
  return { 'ok', seq }
end

function ops.renew(name, token, ttl)
  if is_fenced(name, token) then return { 'fenced' } end
  redis.call('HSET', ns .. 'l:' .. name, 'x', lease_end(ttl))
  return { 'ok' }
end

function ops.release(name, token)
  if is_fenced(name, token) then return { 'none' } end
  redis.call('DEL', ns .. 'l:' .. name)
  redis.call('ZREM', ns .. 'leases', name)
  return { 'ok' }
end

function ops.leases(from, to, limit)
  local answer = { 'ok' }
  local names = redis.call('ZRANGEBYLEX', ns .. 'leases', from, to, 'LIMIT', 0, limit)
  for _, name in ipairs(names) do
    local l = lease_of(name)
    answer[#answer + 1] = name
    answer[#answer + 1] = l and l[1] or ''
    answer[#answer + 1] = l and l[2] or ''
    answer[#answer + 1] = l and whole(l[3] - now) or ''
    if not l then
      redis.call('DEL', ns .. 'l:' .. name)
      redis.call('ZREM', ns .. 'leases', name)
    end
  end
  return answer
end

function ops.sweep(limit)
  sweep(limit)
  return { 'ok', redis.call('GET', ns .. 'seq') or '0' }
end

function ops.now()
  return { 'ok', whole(time[1] * 1000000 + time[2]) }
end

return ops[ARGV[1]](unpack(ARGV, 2))
