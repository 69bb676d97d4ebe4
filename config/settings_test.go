package config

import (
	"encoding/json"
	"testing"
	"time"
)

const settingsText = `{"service":"web","project":"shop","profiles":[{"name":"real1","port":8081},{"name":"real2","port":8082}],` +
	`"container_port":3000,"server_names":["a.example"],"health":{"path":"/profile","expect":"profile","successes":2,` +
	`"interval":"250ms","timeout":"2s","deadline":"1m50s"},"keep_old":true,"keepalive":64,"max_body":"100m","release_header":"X-Release",` +
	`"watch":"5s","drain":"2m0s","keepalive_timeout":"1s","proxy_timeout":"1m0s"}`

func TestSettings_JSON(t *testing.T) {
	s := defaults().Settings
	s.Service, s.Project, s.ContainerPort, s.ServerNames = "web", "shop", 3000, []string{"a.example"}
	s.ReleaseHeader = "X-Release"
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "JSON", string(got), settingsText)
	var back Settings
	if err := json.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	equal(t, "read back", back, s)
}

func TestSettings_JSONOfANewerVersion(t *testing.T) {
	var s Settings
	if err := json.Unmarshal([]byte(`{"service":"web","new_key":1,"health":{"deadline":"3s","newer":2}}`), &s); err != nil {
		t.Fatal(err)
	}
	equal(t, "deadline", s.Health.Deadline, 3*time.Second)
	if err := json.Unmarshal([]byte(`{"watch":"soon"}`), &s); err == nil {
		t.Error("a duration that is none was read")
	}
}

func TestAnAppListensWhereItIsToldTo(t *testing.T) {
	for _, c := range []struct {
		name           string
		container, own int
		want           string
	}{
		{"by default at the profile's port", 0, 0, "8081"},
		{"at the profile's own other port", 0, 9001, "9001"},
		{"at the one port of both", 8080, 9001, "8080"},
	} {
		s := &Service{ProfileEnv: []string{"PROFILE"}, PortEnv: []string{"PORT", "SERVER_PORT"}}
		s.ContainerPort = c.container
		env := s.AppEnv(Profile{Name: "real1", Port: 8081, Listen: c.own})
		if env["PORT"] != c.want || env["SERVER_PORT"] != c.want || env["PROFILE"] != "real1" || len(env) != 3 {
			t.Errorf("%s: %v", c.name, env)
		}
	}
}
