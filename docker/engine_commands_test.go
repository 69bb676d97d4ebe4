package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

func TestExecRunsAsUserZeroAndKeepsStreamsApart(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{User: "1234"}})
	id := create(t, c, s)
	start(t, c, id)
	got, err := c.Exec(t.Context(), id, []string{"/app", "print", "to out", "to err", "3"})
	if want := (ExecResult{"to out\n", "to err\n", 3}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := c.Exec(t.Context(), id, []string{"/app", "uid"}); err != nil || got.Stdout != "0\n" {
		t.Errorf("user: %+v, %v", got, err)
	}
	if got, err := c.Exec(t.Context(), id, []string{"/absent"}); err == nil && got.ExitCode == 0 {
		t.Errorf("an absent command: %+v", got)
	}
	if _, err := c.Exec(t.Context(), "bgt-docker-absent", []string{"x"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an absent container: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	waitThen := func() { waitForLog(t, c, id, "waiting"); cancel() }
	go waitThen()
	if _, err := c.Exec(ended, id, []string{"/app", "wait"}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

func TestTopShowsTitlesWithBlanks(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{Command: []string{"wait", "is shutting", "down"}}})
	id := create(t, c, s)
	start(t, c, id)
	got, err := c.Top(t.Context(), id)
	if err != nil || len(got) != 1 || got[0].Title != "/app wait is shutting down" || got[0].PID == 0 || got[0].PPID == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestRunOnceLeavesNothing(t *testing.T) {
	c := engine(t)
	i := app(t, c)
	volume := name("volume")
	t.Cleanup(func() { c.RemoveVolume(context.Background(), volume) })
	if err := c.CreateVolume(t.Context(), volume, testLabels); err != nil {
		t.Fatal(err)
	}
	o := OneShot{Name: name("once"), ImageID: i.ID, Volume: volume, At: "/data", Labels: testLabels}
	o.Cmd = []string{"/app", "print", "out", "err", "5"}
	if got, err := c.RunOnce(t.Context(), o); err != nil || got != (ExecResult{"out\n", "err\n", 5}) {
		t.Errorf("got %+v, %v", got, err)
	}
	o.Cmd = []string{"/app", "write", "/data/file", "text"}
	if got, err := c.RunOnce(t.Context(), o); err != nil || got.ExitCode != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	o.Cmd = []string{"sh", "-c", "true"}
	var missing *NoCommandError
	if _, err := c.RunOnce(t.Context(), o); !errors.As(err, &missing) || missing.Cmd != "sh" {
		t.Errorf("an image without sh: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	o.Cmd = []string{"/app", "wait"}
	done := make(chan error, 1)
	go func() { _, err := c.RunOnce(ended, o); done <- err }()
	waitForContainer(t, c, o.Name)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
	if _, err := c.Container(t.Context(), o.Name); !errors.Is(err, ErrNotFound) {
		t.Errorf("a container was left: %v", err)
	}
}

func waitForContainer(t *testing.T, c *Client, name string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if found, err := c.Container(t.Context(), name); err == nil && found.Running() {
			return
		}
	}
	t.Fatalf("container %s does not run", name)
}

func TestArchiveOfAVolumeInEveryState(t *testing.T) {
	c := engine(t)
	volume := name("volume")
	t.Cleanup(func() { c.RemoveVolume(context.Background(), volume) })
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Volumes: []types.ServiceVolumeConfig{{Type: "volume", Source: "conf", Target: "/etc/conf"}},
	}})
	s.Project = &types.Project{Volumes: types.Volumes{"conf": {Name: volume}}}
	id := create(t, c, s)
	if err := c.WriteFile(t.Context(), id, "/etc/conf/a.conf", []byte("one")); err != nil {
		t.Fatal(err)
	}
	check := func(state string) {
		t.Helper()
		files, err := c.ReadTree(t.Context(), id, "/etc/conf")
		if err != nil || len(files) != 1 || string(files["a.conf"]) != "one" {
			t.Errorf("%s: %q, %v", state, files, err)
		}
	}
	check("created")
	start(t, c, id)
	check("running")
	if err := c.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	check("stopped")
	if file, err := c.ReadTree(t.Context(), id, "/etc/conf/a.conf"); err != nil || string(file["a.conf"]) != "one" {
		t.Errorf("a single file: %q, %v", file, err)
	}
	if files, err := c.ReadVolume(t.Context(), volume, testLabels); err != nil || len(files) != 1 || string(files["a.conf"]) != "one" {
		t.Errorf("the volume: %q, %v", files, err)
	}
	absent := name("absent")
	if _, err := c.ReadVolume(t.Context(), absent, testLabels); !errors.Is(err, ErrNotFound) {
		t.Errorf("an absent volume: %v", err)
	}
	if exists, err := c.VolumeExists(t.Context(), absent); exists || err != nil {
		t.Errorf("reading made the volume: %t, %v", exists, err)
	}
	if _, err := c.ReadTree(t.Context(), id, "/absent"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an absent path: %v", err)
	}
}

func TestOnlyOneTakesTheLock(t *testing.T) {
	c := engine(t)
	lock := name("lock")
	remove(t, c, lock)
	var won, lost atomic.Int32
	var id atomic.Value
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			got, err := c.TakeLock(t.Context(), lock, map[string]string{"bluegreen.test": "docker", "bluegreen.run": strconv.Itoa(i)})
			var held *LockHeldError
			switch {
			case err == nil:
				won.Add(1)
				id.Store(got)
			case errors.As(err, &held) && held.Holder.Name == lock && held.Holder.Labels["bluegreen.run"] != "":
				lost.Add(1)
			default:
				t.Errorf("take %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || lost.Load() != 19 {
		t.Fatalf("%d won, %d lost", won.Load(), lost.Load())
	}
	taken := id.Load().(string)
	if err := c.WriteFile(t.Context(), taken, "/lease.json", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteFile(t.Context(), taken, "/lease.json", []byte(`{"renewed":1}`)); err != nil {
		t.Fatal(err)
	}
	if lease, err := c.ReadTree(t.Context(), taken, "/lease.json"); err != nil || string(lease["lease.json"]) != `{"renewed":1}` {
		t.Errorf("lease %q, %v", lease, err)
	}
	if err := c.RemoveLockImage(t.Context()); err != nil {
		t.Errorf("removing the image while the lock is held: %v", err)
	}
	if err := c.Remove(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	if again, err := c.TakeLock(t.Context(), lock, testLabels); err != nil {
		t.Errorf("taking it again: %v", err)
	} else if err := c.Remove(t.Context(), again); err != nil {
		t.Error(err)
	}
	if err := c.RemoveLockImage(t.Context()); err != nil {
		t.Errorf("removing the image: %v", err)
	}
}

func TestPortTakenByAContainer(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	start(t, c, create(t, c, s))
	second := s
	second.Name, second.Address = name("second"), ""
	remove(t, c, second.Name)
	id := create(t, c, second)
	var taken *PortTakenError
	err := c.Start(t.Context(), id)
	if !errors.As(err, &taken) || taken.Port != s.HostPort || taken.Holder != "container "+s.Name {
		t.Errorf("got %v (%+v)", err, taken)
	}
	holder, ok, err := c.PortHolder(t.Context(), s.HostPort)
	if err != nil || !ok || holder.Name != s.Name {
		t.Errorf("holder %+v, %t, %v", holder, ok, err)
	}
}

func TestPortTakenByAProcess(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.HostPort))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var taken *PortTakenError
	err = c.Start(t.Context(), create(t, c, s))
	if !errors.As(err, &taken) || taken.Port != s.HostPort {
		t.Fatalf("got %v", err)
	}
	if me := fmt.Sprintf("process %d (", os.Getpid()); c.Local() && !strings.HasPrefix(taken.Holder, me) {
		t.Errorf("holder %q, want %s…", taken.Holder, me)
	}
	if _, ok, err := c.PortHolder(t.Context(), s.HostPort); ok || err != nil {
		t.Errorf("a container holds it: %t, %v", ok, err)
	}
}

func TestAddressTaken(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	start(t, c, create(t, c, s))
	second := s
	second.Name, second.HostPort = name("second"), freePort(t)
	remove(t, c, second.Name)
	var taken *AddressTakenError
	err := c.Start(t.Context(), create(t, c, second))
	if !errors.As(err, &taken) || taken.Address != s.Address || taken.Holder != "container "+s.Name {
		t.Errorf("got %v (%+v)", err, taken)
	}
}

func TestNetworkOfItsOwnSubnet(t *testing.T) {
	c := engine(t)
	made := testNetwork(t, c, "net")
	found, err := c.Network(t.Context(), made.Name)
	if err != nil || found.ID != made.ID || found.Subnet != made.Subnet || found.Labels["bluegreen.test"] != "docker" {
		t.Errorf("made %+v, found %+v, %v", made, found, err)
	}
	if _, err := c.Network(t.Context(), made.Name[:len(made.Name)-1]); !errors.Is(err, ErrNotFound) {
		t.Errorf("part of a name: %v", err)
	}
	if _, err := c.CreateNetwork(t.Context(), name("overlap"), made.Subnet, testLabels); err == nil || !strings.Contains(err.Error(), "Pool overlaps") {
		t.Errorf("the same subnet again: %v", err)
	}
	for range 2 {
		if err := c.RemoveNetwork(t.Context(), made.ID); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
}

func TestNginxContainer(t *testing.T) {
	c := engine(t)
	n, i := testNetwork(t, c, "net"), app(t, c)
	volume := name("volume")
	t.Cleanup(func() { c.RemoveVolume(context.Background(), volume) })
	s := NginxSpec{
		Name: name("nginx"), ImageID: i.ID, Volume: volume, At: "/etc/nginx/bluegreen", Cmd: []string{"/app", "wait"},
		NetworkID: n.ID, NetworkName: n.Name, Ports: []Port{{"127.0.0.1", freePort(t), 80}, {"127.0.0.1", freePort(t), 8079}}, Labels: testLabels,
	}
	remove(t, c, s.Name)
	id, err := c.CreateNginx(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	got := inspect(t, c, id)
	if got.RestartPolicy != "always" || got.StopSignal != "SIGQUIT" || len(got.Ports) != 2 {
		t.Errorf("got %+v", got)
	}
	if got.Mounts[0].Name != volume || got.Mounts[0].Target != s.At {
		t.Errorf("mounts %+v", got.Mounts)
	}
	if running := start(t, c, id); running.Networks[n.Name].NetworkID != n.ID {
		t.Errorf("networks %+v", running.Networks)
	}
	if n, err := c.Network(t.Context(), n.Name); err != nil || n.Containers[id] != s.Name {
		t.Errorf("containers of the network: %+v, %v", n, err)
	}
}

// TestNginxIsPublishedOnItsAddressAlone: nothing answers on the host's others.
func TestNginxIsPublishedOnItsAddressAlone(t *testing.T) {
	c := engine(t)
	n, i := testNetwork(t, c, "net"), app(t, c)
	volume := name("volume")
	t.Cleanup(func() { c.RemoveVolume(context.Background(), volume) })
	for address, other := range map[string]string{"127.0.0.2": "127.0.0.1", "::1": "127.0.0.1"} {
		s := NginxSpec{
			Name: name("nginx"), ImageID: i.ID, Volume: volume, At: "/etc/nginx/bluegreen", Cmd: []string{"/app", "wait"},
			NetworkID: n.ID, NetworkName: n.Name, Ports: []Port{{address, freePort(t), 80}, {"127.0.0.1", freePort(t), 8079}}, Labels: testLabels,
		}
		remove(t, c, s.Name)
		id, err := c.CreateNginx(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got := start(t, c, id); !slices.Contains(got.Ports, s.Ports[0]) || len(got.Ports) != 2 {
			t.Errorf("%s: ports %+v", address, got.Ports)
		}
		for ip, listens := range map[string]bool{address: true, other: false} {
			conn, err := net.Dial("tcp", net.JoinHostPort(ip, strconv.Itoa(s.Ports[0].HostPort)))
			if err == nil {
				conn.Close()
			}
			if listens != (err == nil) {
				t.Errorf("published on %s, asked at %s: %v", address, ip, err)
			}
		}
	}
}

func TestEngineSaysWhatItIs(t *testing.T) {
	c := engine(t)
	e, err := c.Engine(t.Context())
	if err != nil || e.Version == "" || e.APIVersion == "" || e.OS == "" || e.NCPU == 0 || e.Time.IsZero() {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestImageHealthcheck(t *testing.T) {
	c := engine(t)
	i := app(t, c, `HEALTHCHECK CMD ["/app", "uid"]`, "LABEL a=b")
	if !i.Healthcheck || i.Labels["a"] != "b" || !strings.HasPrefix(i.Platform, "linux/") || i.Size < 1<<20 {
		t.Errorf("got %+v", i)
	}
	if i := app(t, c, "HEALTHCHECK NONE"); i.Healthcheck {
		t.Errorf("got %+v", i)
	}
	if _, err := c.Image(t.Context(), name("absent")); !errors.Is(err, ErrNotFound) {
		t.Errorf("an absent image: %v", err)
	}
}
