bind "tcp://0.0.0.0:#{ENV.fetch("PORT", "8080")}"
environment "production"
threads 8, 8
persistent_timeout 20 # seconds an idle connection is kept; the default
raise_exception_on_sigterm false # SIGTERM: answer what is under way, then exit 0
