# gunicorn itself binds to 0.0.0.0:$PORT.
worker_class = "gthread"  # the default, sync, keeps no connection alive
workers = 2
threads = 8
keepalive = 2  # seconds; the default
graceful_timeout = 30  # seconds from SIGTERM until workers are killed; the default
