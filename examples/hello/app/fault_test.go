package app

import (
	"fmt"
	"strings"
	"testing"
)

// Each row is what /profile answers to one request after the other.
func TestFaultsOfProfile(t *testing.T) {
	const good, other = "200 real1", "200 real2"
	failed := func(status int) string { return fmt.Sprint(status, " failed on purpose") }
	for fault, want := range map[string][]string{
		"":                    {good, good, good},
		"status:404,2":        {failed(404), failed(404), good},
		"profile-503-after:2": {good, good, failed(503)},
		"flap":                {good, failed(500), good, failed(500)},
		"wrong-profile":       {other, other},
		"fail-requests":       {good, good},
		"exit-after:2":        {good, good},
	} {
		t.Run(fault, func(t *testing.T) {
			url, _ := startApp(t, fault)
			for i, want := range want {
				answer, body := ask(t, request(t, "GET", url+"/profile", ""))
				if got := fmt.Sprint(answer.StatusCode, " ", strings.TrimSpace(body)); got != want {
					t.Errorf("request %d: got %q, want %q", i+1, got, want)
				}
			}
		})
	}
}

func TestFailRequestsFailsAllButProfile(t *testing.T) {
	url, _ := startApp(t, "fail-requests")
	for _, path := range []string{"/", "/version", "/healthz", "/ws"} {
		if answer, _ := ask(t, request(t, "GET", url+path, "")); answer.StatusCode != 500 {
			t.Errorf("%s: got %d, want 500", path, answer.StatusCode)
		}
	}
}

func TestParseFaultRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, text := range []string{"crash", "late", "late:x", "exit-after:", "status:500", "status:x,1", "profile-503-after:x"} {
		if _, err := parseFault(text); err == nil {
			t.Errorf("FAULT=%s was accepted", text)
		}
	}
}
