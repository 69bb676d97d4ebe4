package docker

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/container"
	"pgregory.net/rapid"
)

func TestAOneShotPublishesItsPorts(t *testing.T) {
	c := OneShot{Cmd: []string{"true"}, Network: "n", Ports: []Port{{HostIP: "127.0.0.1", HostPort: 8079, Container: 79}}}.creation()
	got := c.host.PortBindings["79/tcp"]
	if _, open := c.config.ExposedPorts["79/tcp"]; !open || len(got) != 1 || got[0].HostPort != "8079" || got[0].HostIP != "127.0.0.1" || c.host.NetworkMode != "n" {
		t.Errorf("%+v, %+v", c.config, c.host)
	}
}

func TestAddressFollowsFromThePort(t *testing.T) {
	for _, row := range []struct {
		subnet string
		port   int
		want   string
	}{
		{"172.18.0.0/16", 8081, "172.18.159.145"},
		{"172.18.0.0/16", 8082, "172.18.159.146"},
		{"10.77.0.0/20", 8081, "10.77.15.145"},
		{"10.0.0.0/24", 8064, "10.0.0.128"},
		{"10.0.0.0/24", 8063, "10.0.0.254"}, // .255 is the broadcast address
		{"10.0.0.0/28", 7, "10.0.0.14"},
	} {
		got, err := Network{Subnet: row.subnet}.Address(row.port)
		if err != nil || got != row.want {
			t.Errorf("%s, port %d: %s, %v; want %s", row.subnet, row.port, got, err, row.want)
		}
	}
	for _, subnet := range []string{"", "nonsense", "10.0.0.0/30", "fd00::/64", "0.0.0.0/0"} {
		if got, err := (Network{Subnet: subnet}).Address(8081); err == nil {
			t.Errorf("%q: %s", subnet, got)
		}
	}
}

func TestAddressLiesInTheUpperHalfOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subnet := rapid.SampledFrom([]string{"10.0.0.0/8", "172.16.0.0/12", "192.168.7.0/24", "10.9.8.16/28", "10.77.0.0/20", "0.0.0.0/1"}).Draw(t, "subnet")
		lower, upper, err := halves(subnet)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Network{Subnet: subnet}.Address(rapid.IntRange(1, 65535).Draw(t, "port"))
		if err != nil {
			t.Fatal(err)
		}
		if at := netip.MustParseAddr(got); !upper.Contains(at) || lower.Contains(at) || !upper.Contains(at.Next()) {
			t.Errorf("%s in %s (upper half %s)", got, subnet, upper)
		}
	})
}

func TestTakenPortOrAddress(t *testing.T) {
	for message, want := range map[string]int{
		"driver failed programming external connectivity on endpoint a (b): Bind for 127.0.0.1:8081 failed: port is already allocated":                           8081,
		"driver failed programming external connectivity on endpoint a (b): Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use": 80,
		"failed to set up container networking: failed to bind host port for 127.0.0.1:8082:172.18.0.2:8081/tcp: address already in use":                         8082,
		"failed to bind host port 0.0.0.0:443/tcp: address already in use":                                                                                       443,
		"Bind for :::80 failed: port is already allocated":                                                                                                       80,
		"Error starting userland proxy: listen tcp6 [::]:80: bind: address already in use":                                                                       80,
		"Address already in use":                     0,
		"exec: \"sh\": executable file not found in": -1,
	} {
		_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
			"POST /containers/a/start": fails(http.StatusInternalServerError, message),
			"GET /containers/json":     says([]any{}),
		})
		err := dial(t, host).Start(t.Context(), "a")
		var port *PortTakenError
		var address *AddressTakenError
		switch {
		case want > 0 && (!errors.As(err, &port) || port.Port != want):
			t.Errorf("%s: %v", message, err)
		case want == 0 && !errors.As(err, &address):
			t.Errorf("%s: %v", message, err)
		case want < 0 && (errors.As(err, &port) || errors.As(err, &address) || !isNoCommand(err)):
			t.Errorf("%s: %v", message, err)
		}
	}
}

func TestProcessThatListens(t *testing.T) {
	proc := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(proc, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("net/tcp", "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"+
		"   0: 0100007F:1F91 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 70 1 0\n"+
		"   1: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 71 1 0\n")
	write("net/tcp6", "header\n   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 72 1 0\n")
	write("123/comm", "java\n")
	write("123/fd/0", "")
	if err := os.Symlink("socket:[72]", filepath.Join(proc, "123/fd/5")); err != nil {
		t.Fatal(err)
	}
	if got := listeningProcess(proc, 8081); got != "process 123 (java)" {
		t.Errorf("got %q", got)
	}
	if got := listeningProcess(proc, 80); got != "" {
		t.Errorf("a socket of nobody that can be seen: %q", got)
	}
	if got := listeningProcess(proc, 81); got != "" {
		t.Errorf("a free port: %q", got)
	}
}

func TestTopIsReadByItsTitles(t *testing.T) {
	got, err := parseTop(container.TopResponse{
		Titles:    []string{"PPID", "PID", "COMMAND"},
		Processes: [][]string{{"1", "20", "nginx: worker process is shutting down"}},
	})
	if err != nil || len(got) != 1 || got[0] != (Process{20, 1, "nginx: worker process is shutting down"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []container.TopResponse{
		{Titles: []string{"PID", "CMD"}},
		{Titles: []string{"PID", "PPID", "COMMAND"}, Processes: [][]string{{"1"}}},
		{Titles: []string{"PID", "PPID", "COMMAND"}, Processes: [][]string{{"x", "1", "y"}}},
		{Titles: []string{"PID", "PPID", "COMMAND"}, Processes: [][]string{{"1", "x", "y"}}},
	} {
		if got, err := parseTop(bad); err == nil {
			t.Errorf("%+v: %+v", bad, got)
		}
	}
}

func TestErrorsNameHolderOrSayThatItIsUnknown(t *testing.T) {
	for want, err := range map[string]error{
		"port 80 of the Docker host is taken by container shop-db":                     &PortTakenError{Port: 80, Holder: "container shop-db"},
		"port 80 of the Docker host is taken by something that could not be found out": &PortTakenError{Port: 80},
		"address 10.0.0.9 is taken by container shop-db":                               &AddressTakenError{Address: "10.0.0.9", Holder: "container shop-db"},
		`image x has no command "sh"`:                                                  &NoCommandError{Image: "x", Cmd: "sh"},
		"lock shop-lock is held since 0001-01-01T00:00:00Z":                            &LockHeldError{Holder: Container{Name: "shop-lock"}},
	} {
		if err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
	}
}

func TestRestartPolicyText(t *testing.T) {
	for _, text := range []string{"no", "always", "unless-stopped", "on-failure", "on-failure:3"} {
		p, err := parsePolicy(text)
		if err != nil || formatPolicy(p) != text {
			t.Errorf("%s: %q, %v", text, formatPolicy(p), err)
		}
	}
	for _, text := range []string{"", "sometimes", "always:3", "on-failure:x", "on-failure:-1"} {
		if _, err := parsePolicy(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if formatPolicy(container.RestartPolicy{}) != "no" {
		t.Error("no policy is no")
	}
}

// The words are those of engines 20.10 and 28.
func TestAContainerThatIsBeingStoppedDoesNotLackAProgram(t *testing.T) {
	for words, want := range map[string]bool{
		"": true,
		`OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown`:                         true,
		`OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: "sh": executable file not found in $PATH: unknown`: true,
		`OCI runtime exec failed: exec failed: unable to start container process: error executing setns process: exit status 1: unknown`:                           false,
		`OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown`:                                                                        false,
	} {
		if got := noProgram(words); got != want {
			t.Errorf("%q: %v", words, got)
		}
	}
}
