package app

import (
	"testing"
	"time"
)

func env(pairs map[string]string) func(string) string {
	return func(key string) string { return pairs[key] }
}

func TestActiveProfile(t *testing.T) {
	for list, want := range map[string]string{
		"":                  "default",
		" , ":               "default",
		"real1":             "real1",
		"real2":             "real2",
		"oauth,real2,db":    "real2",
		"real-db, real1":    "real1",
		"local":             "local",
		"oauth,local":       "oauth",
		"real1x,real2-blue": "real1x",
	} {
		if got := activeProfile(list); got != want {
			t.Errorf("activeProfile(%q) = %q, want %q", list, got, want)
		}
	}
}

func TestReadSettings(t *testing.T) {
	s, err := readSettings(env(map[string]string{
		"SERVER_PORT": "8081", "PORT": "9", "PROFILE": "real2", "VERSION": "v7",
		"RELEASE": "43", "SHUTDOWN_TIMEOUT": "5s", "IDLE_TIMEOUT": "400ms",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := settings{":8081", "v7", "43", "real2", s.hostname, 5 * time.Second, 400 * time.Millisecond}
	if s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
}

func TestSettingsByDefault(t *testing.T) {
	s, err := readSettings(env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if s.addr != ":8080" || s.version != "dev" || s.profile != "default" || s.shutdownTimeout != 30*time.Second || s.idleTimeout != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestSpringProfileWinsAndBadTimeoutIsAnError(t *testing.T) {
	pairs := map[string]string{"SPRING_PROFILES_ACTIVE": "real1", "PROFILE": "real2", "PORT": "9000"}
	if s, err := readSettings(env(pairs)); err != nil || s.profile != "real1" || s.addr != ":9000" {
		t.Errorf("got %+v, %v", s, err)
	}
	pairs["SHUTDOWN_TIMEOUT"] = "soon"
	if _, err := readSettings(env(pairs)); err == nil {
		t.Error("SHUTDOWN_TIMEOUT=soon was accepted")
	}
}
