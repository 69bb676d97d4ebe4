package app

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// defaultVersion is said where the environment says none.
const defaultVersion = "dev"

// defaultShutdownTimeout bounds how long requests in flight are waited for after SIGTERM.
const defaultShutdownTimeout = 30 * time.Second

// settings are what the environment says.
type settings struct {
	addr            string // ":8080"
	version         string
	release         string // bluegreen's release number, when the environment tells it
	profile         string
	hostname        string
	shutdownTimeout time.Duration
	idleTimeout     time.Duration // 0: idle connections stay open
}

func readSettings(getenv func(string) string) (settings, error) {
	shutdown, err := span(getenv, "SHUTDOWN_TIMEOUT", defaultShutdownTimeout)
	if err != nil {
		return settings{}, err
	}
	idle, err := span(getenv, "IDLE_TIMEOUT", 0)
	if err != nil {
		return settings{}, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown"
	}
	return settings{
		addr:            ":" + cmp.Or(getenv("SERVER_PORT"), getenv("PORT"), "8080"),
		version:         cmp.Or(getenv("VERSION"), defaultVersion),
		release:         getenv("RELEASE"),
		profile:         activeProfile(cmp.Or(getenv("SPRING_PROFILES_ACTIVE"), getenv("PROFILE"))),
		hostname:        hostname,
		shutdownTimeout: shutdown,
		idleTimeout:     idle,
	}, nil
}

// span reads a time from the environment.
func span(getenv func(string) string, key string, otherwise time.Duration) (time.Duration, error) {
	text := getenv(key)
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", key, err)
	}
	return d, nil
}

// activeProfile picks from a comma-separated list as the Spring Boot recipe's controller does: the one
// that is a deploy profile, else the first, else "default".
func activeProfile(list string) string {
	var active []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			active = append(active, name)
		}
	}
	if i := slices.IndexFunc(active, isDeployProfile); i >= 0 {
		return active[i]
	}
	if len(active) > 0 {
		return active[0]
	}
	return "default"
}

func isDeployProfile(name string) bool { return name == "real1" || name == "real2" }
