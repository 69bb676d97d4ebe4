-- wrk: GETs and POSTs in turn on each connection, a few ms apart. At the end, its counts as one JSON object.
local n, post, get = 0, nil, nil

function init() -- the Host header is known from here on
	post = wrk.format("POST", nil, nil, string.rep("a", 512))
	get = wrk.format("GET")
end

function request()
	n = n + 1
	return n % 2 == 0 and post or get
end

function delay()
	return 5
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('{"requests":%d,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n',
		summary.requests, e.connect, e.read, e.write, e.status, e.timeout))
end
