"""A WSGI app that says which profile and version it is, and gives back what it is sent."""

import os

PROFILE = os.environ.get("PROFILE", "")
VERSION = os.environ.get("VERSION", "")


def app(environ, start_response):
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if environ["PATH_INFO"] == "/profile":
        body = PROFILE.encode()
    start_response("200 OK", [
        ("Content-Type", "text/plain"), ("Content-Length", str(len(body))),
        ("X-Version", VERSION), ("X-Profile", PROFILE),
    ])
    return [body]
