# A Rack app that says which profile and version it is, and gives back what it is sent.
PROFILE = ENV.fetch("PROFILE", "")
VERSION = ENV.fetch("VERSION", "")

run(lambda do |env|
  body = env["PATH_INFO"] == "/profile" ? PROFILE : env["rack.input"].read
  headers = {
    "content-type" => "text/plain", "content-length" => body.bytesize.to_s,
    "x-version" => VERSION, "x-profile" => PROFILE,
  }
  [200, headers, [body]]
end)
