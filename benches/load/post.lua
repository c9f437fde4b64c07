-- wrk script: posts the bodies of $BENCH_BODIES in turn, from a random one on. A line is the number of the token that
-- asks, a tabulator and the JSON. Tokens stand in $BENCH_TOKENS, one a line. Where a body has @N@, a number that no other
-- request has takes its place: for mutations that are known by a number.
local tokens, bodies, unique = {}, {}, false
for line in io.lines(os.getenv("BENCH_TOKENS")) do
  tokens[#tokens + 1] = {
    ["Content-Type"] = "application/json",
    ["Accept"] = "application/graphql-response+json",
    ["Authorization"] = "Bearer " .. line,
  }
end
for line in io.lines(os.getenv("BENCH_BODIES")) do
  local token, body = line:match("^(%d+)\t(.*)$")
  bodies[#bodies + 1] = { token = tonumber(token), body = body }
  unique = unique or body:find("@N@", 1, true) ~= nil
end
wrk.method = "POST"
local made, place, run, sent = {}, 0, os.getenv("BENCH_RUN"), 0

function init(args)
  math.randomseed(os.time())
  place = math.random(0, #bodies - 1)
  if not unique then
    for n, one in ipairs(bodies) do
      made[n] = wrk.format(nil, nil, tokens[one.token], one.body)
    end
  end
end

function request()
  place = place % #bodies + 1
  if not unique then return made[place] end
  sent = sent + 1
  local one = bodies[place]
  return wrk.format(nil, nil, tokens[one.token], (one.body:gsub("@N@", run .. "-" .. sent)))
end
