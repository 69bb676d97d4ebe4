package config

import (
	"slices"
	"time"
)

// Defaults of a service's keys.
const (
	DefaultProfile1 = "real1" // where a host that never deployed starts
	DefaultPort1    = 8081
	DefaultProfile2 = "real2"
	DefaultPort2    = 8082

	// DefaultHealthPath answers with the profile's name.
	DefaultHealthPath = "/profile"
	// DefaultHealthInterval is the pause between two tries.
	DefaultHealthInterval = 250 * time.Millisecond
	// DefaultHealthTimeout is how long one try may take.
	DefaultHealthTimeout = 2 * time.Second
	// DefaultSuccesses in a row make a release ready: one answer may be luck.
	DefaultSuccesses = 2
	// DefaultDeadline is how long a release may take to become ready: room for a slow Spring Boot start.
	DefaultDeadline = 110 * time.Second

	// DefaultWatch is how long a swap is watched for failures.
	DefaultWatch = 5 * time.Second
	// DefaultDrain is how long replacing or stopping a container waits for old workers; as long as they
	// can live (DefaultShutdownTimeout).
	DefaultDrain = 120 * time.Second
	// DefaultKeepOld keeps the old profile warm: a rollback is then one more swap.
	DefaultKeepOld = true

	// DefaultKeepalive is how many idle connections to the app each worker keeps.
	DefaultKeepalive = 64
	// DefaultKeepaliveTimeout is below what apps close idle connections after (gunicorn 2 s, Node 5 s):
	// otherwise nginx sends a request into a closing connection and answers 502.
	DefaultKeepaliveTimeout = time.Second
	// DefaultMaxBody is the largest request body nginx takes.
	DefaultMaxBody = "100m"
	// DefaultHookTimeout is how long a hook may take: room for a migration.
	DefaultHookTimeout = 5 * time.Minute
	// DefaultProxyTimeout is how long nginx waits for the app; nginx's own default.
	DefaultProxyTimeout = 60 * time.Second
)

// DefaultProfileEnv and DefaultPortEnv are the variables that tell the app its profile and its port.
var (
	DefaultProfileEnv = []string{"SPRING_PROFILES_ACTIVE", "PROFILE"}
	DefaultPortEnv    = []string{"SERVER_PORT", "PORT"}
)

// Defaults of the host's keys, used where neither a project nor the host itself says otherwise.
const (
	DefaultHTTP   = 80   // on all interfaces
	DefaultStatus = 8079 // on loopback
	// DefaultImage is an official tag that has keepalive_min_timeout.
	DefaultImage = "nginx:1.30-alpine"
	// DefaultShutdownTimeout is when nginx cuts what old workers still carry.
	DefaultShutdownTimeout = 120 * time.Second
	DefaultNetwork         = "bluegreen"
)

// defaults is a service that says nothing.
func defaults() *Service {
	return &Service{
		Settings: Settings{
			Profiles: [2]Profile{{Name: DefaultProfile1, Port: DefaultPort1}, {Name: DefaultProfile2, Port: DefaultPort2}},
			Health: Health{
				Path: DefaultHealthPath, Expect: ExpectProfile,
				Interval: DefaultHealthInterval, Timeout: DefaultHealthTimeout,
				Successes: DefaultSuccesses, Deadline: DefaultDeadline,
			},
			Watch: DefaultWatch, Drain: DefaultDrain, KeepOld: DefaultKeepOld,
			Keepalive: DefaultKeepalive, KeepaliveTimeout: DefaultKeepaliveTimeout,
			MaxBody: DefaultMaxBody, ProxyTimeout: DefaultProxyTimeout,
		},
		ProfileEnv: slices.Clone(DefaultProfileEnv),
		PortEnv:    slices.Clone(DefaultPortEnv),
	}
}

// hostDefaults is the host where neither a project nor the host itself says otherwise.
func hostDefaults() *Host {
	return &Host{
		HTTP: DefaultHTTP, Status: DefaultStatus, Image: DefaultImage, ShutdownTimeout: DefaultShutdownTimeout, Network: DefaultNetwork,
	}
}
