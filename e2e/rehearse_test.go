package e2e

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// rehearsal is what `rehearse -o json` prints, as far as these tests look at it. Times are milliseconds.
type rehearsal struct {
	Verdict struct {
		Passed   bool
		Text     string
		Failures []string
	}
	Setup struct {
		Rehearsal, Service, Nginx string
		Images, Notes             []string
	}
	Load struct {
		URL, Protocol string
	}
	Runs []rehearsalRun
}

type rehearsalRun struct {
	Name               string
	Requests, OK, Lost int64
	Rate               float64
	Outcomes           []struct {
		Name  string
		Count int64
	}
	Harmless struct {
		IdleCloses  int64 `json:"idle_closes"`
		Unprocessed int64
	}
	Others []struct {
		Kind              string
		Begun, Done, Lost int64
	}
	Latency []struct {
		Phase    string
		Requests int64
		P99      float64 `json:"p99_ms"`
		Max      float64 `json:"max_ms"`
	}
	Swaps []struct {
		From, Release  int
		Profile, Image string
		Began          float64  `json:"began_ms"`
		Ended          float64  `json:"ended_ms"`
		Confirmed      float64  `json:"confirmed_ms"`
		Drained        *float64 `json:"drained_ms"`
		Gap            float64  `json:"longest_gap_ms"`
		Error          string
		Share          *struct {
			Old, New []int
		}
	}
	Releases []struct {
		Release string
		Answers int64
	}
	Workers []struct{ Serving, Draining int }
	Some    []struct{ Outcome, Error string } `json:"lost_some"`
	Client  struct {
		Cores      float64
		PeakMemory int64 `json:"peak_memory"`
	}
}

func (r rehearsalRun) outcome(name string) int64 {
	for _, o := range r.Outcomes {
		if o.Name == name {
			return o.Count
		}
	}
	return -1
}

func (r rehearsalRun) phase(name string) (requests int64, p99 float64) {
	for _, l := range r.Latency {
		if l.Phase == name {
			return l.Requests, l.P99
		}
	}
	return 0, 0
}

// rehearse runs a rehearsal with -o json in the host's folder, which must exit with that code.
func (h *host) rehearse(code int, args ...string) (r rehearsal, out output) {
	h.t.Helper()
	out = h.runWith([]string{"BLUEGREEN_NGINX_IMAGE=" + nginxImage}, append([]string{"rehearse", "-o", "json"}, args...)...)
	if out.code != code {
		h.t.Fatalf("want exit %d: %v", code, out)
	}
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
		h.t.Fatalf("read report: %v\n%v", err, out)
	}
	h.t.Logf("%s\n%s", out.command, r.Verdict.Text)
	return r, out
}

// alone is a host whose folder has no compose file.
func alone(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	if err := os.Remove(h.file); err != nil {
		t.Fatal(err)
	}
	return h
}

// ofRehearsal lists what is on the engine of one rehearsal, or, with "", of any.
func ofRehearsal(t *testing.T, id string) (left []string) {
	t.Helper()
	ctx, name := context.Background(), "bluegreen-rehearsal-"+id
	byName := filters.NewArgs(filters.Arg("name", name))
	containers, err := engine.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		if strings.HasPrefix(c.Labels["bluegreen.network"], name) {
			left = append(left, "container "+c.Names[0])
		}
	}
	networks, err := engine.NetworkList(ctx, network.ListOptions{Filters: byName})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks {
		left = append(left, "network "+n.Name)
	}
	volumes, err := engine.VolumeList(ctx, volume.ListOptions{Filters: byName})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range volumes.Volumes {
		left = append(left, "volume "+v.Name)
	}
	images, err := engine.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", "bluegreen/rehearsal-"+id+"*"))})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images {
		left = append(left, "image "+strings.Join(i.RepoTags, " "))
	}
	return left
}

func wantNothingOf(t *testing.T, id string) {
	t.Helper()
	if left := ofRehearsal(t, id); len(left) > 0 {
		t.Errorf("rehearsal %q left %s", id, strings.Join(left, ", "))
	}
}

// Right after installation, without any file: the built-in example is swapped under load, nothing is lost, and nothing
// is left.
func TestRehearseWorksRightAfterInstallation(t *testing.T) {
	h := alone(t)
	page, xmlFile := filepath.Join(h.dir, "report.html"), filepath.Join(h.dir, "junit.xml")
	r, _ := h.rehearse(0, "--swaps", "2", "--duration", "9s", "--report", page, "--junit", xmlFile)
	run := r.Runs[0]
	if !r.Verdict.Passed || run.Lost != 0 || run.Requests < 9*500*9/10 || len(run.Swaps) != 2 {
		t.Errorf("want 2 swaps, none of 4,500 requests lost: %+v %+v", r.Verdict, run)
	}
	for i, s := range run.Swaps {
		if s.From != i+1 || s.Release != i+2 || s.Error != "" || s.Share == nil || s.Drained == nil {
			t.Errorf("swap %d: %+v", i+1, s)
		}
	}
	if len(run.Releases) != 3 || run.Releases[0].Answers+run.Releases[1].Answers+run.Releases[2].Answers != run.OK {
		t.Errorf("want every answer to name one of three releases: %+v", run.Releases)
	}
	if !slices.ContainsFunc(run.Workers, func(w struct{ Serving, Draining int }) bool { return w.Serving > 0 }) {
		t.Error("no nginx worker was seen")
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "</html>") {
		t.Errorf("the page: %v", err)
	}
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if text, err := os.ReadFile(xmlFile); err != nil || xml.Unmarshal(text, &suites) != nil || suites.Tests == 0 || suites.Failures != 0 {
		t.Errorf("JUnit: %+v, %v", suites, err)
	}
	wantNothingOf(t, r.Setup.Rehearsal)
}

// What a swap is worth: twenty in a row at a thousand requests a second.
func TestRehearsalOfTwentySwapsLosesNothing(t *testing.T) {
	skipShort(t)
	h := newHost(t)
	r, _ := h.rehearse(0, "--swaps", "20", "--rate", "1000/s", "--path", "/", "--method", "GET,POST")
	run := r.Runs[0]
	if run.Lost != 0 || len(run.Swaps) != 20 || run.Requests < 75_000 {
		t.Errorf("want 20 swaps and nothing lost: %d swaps, %d of %d lost", len(run.Swaps), run.Lost, run.Requests)
	}
	gap := 0.0
	for _, s := range run.Swaps {
		gap = max(gap, s.Gap)
	}
	_, during := run.phase("during")
	_, after := run.phase("after")
	t.Logf("p99 %.1f ms during a swap, %.1f ms between (%.1f times); longest gap at a swap %.0f ms; %.2f cores for the client, %d MB",
		during, after, during/after, gap, run.Client.Cores, run.Client.PeakMemory>>20)
	wantNothingOf(t, r.Setup.Rehearsal)
}

// The measuring can see a loss, and counts exactly what nginx did not answer: without keepalive_min_timeout a reload
// resets connections, and each request is either in nginx's log with a good status or in the report as lost.
func TestRehearseCountsExactlyWhatAnOldNginxLoses(t *testing.T) {
	old := os.Getenv("BLUEGREEN_NGINX_OLD_IMAGE")
	if old == "" {
		t.Skip("SKIPPED: BLUEGREEN_NGINX_OLD_IMAGE names no nginx that is too old: run `make test`")
	}
	h := alone(t)
	// A reload resets what arrives in the moment in which an old worker closes its connections: about ten requests at this rate.
	r, _ := h.rehearse(1, "--swaps", "4", "--duration", "10s", "--rate", "1500/s", "--connections", "64", "--nginx-image", old, "--keep")
	t.Cleanup(func() { h.must("rehearse", "--clean"); wantNothingOf(t, r.Setup.Rehearsal) })
	run := r.Runs[0]
	if r.Verdict.Passed || run.Lost == 0 || run.outcome("reset") == 0 {
		t.Fatalf("want requests reset: %+v", run.Outcomes)
	}
	logged := loggedAnswers(t, "bluegreen-rehearsal-"+r.Setup.Rehearsal+"-nginx")
	if logged != run.OK {
		t.Errorf("nginx answered %d requests, the report has %d of %d as ok, %d lost", logged, run.OK, run.Requests, run.Lost)
	}
}

// loggedAnswers counts the good answers to the load client in nginx's access log.
func loggedAnswers(t *testing.T, name string) (n int64) {
	t.Helper()
	stdout, _ := logs(t, name)
	for _, line := range strings.Split(stdout, "\n") {
		var entry struct {
			URI, Release string
			Status       int
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Status == 200 && entry.URI == "/" {
			n++
		}
	}
	return n - 2 // the two that were asked once before the load
}

// Clients of every kind, across real swaps.
func TestRehearseWithClientsOfEveryKindLosesNothing(t *testing.T) {
	h := alone(t)
	r, _ := h.rehearse(0, "--swaps", "2", "--duration", "24s", "--slow", "3", "--websockets", "4", "--streams", "4", "--rate", "200/s")
	seen := map[string]bool{}
	for _, o := range r.Runs[0].Others {
		seen[o.Kind] = o.Done > 0 && o.Lost == 0
	}
	if !seen["slow"] || !seen["websocket"] || !seen["stream"] {
		t.Errorf("want each kind done and none lost: %+v", r.Runs[0].Others)
	}
}

func TestRehearseByHTTP2LosesNothing(t *testing.T) {
	h := alone(t)
	r, _ := h.rehearse(0, "--swaps", "2", "--duration", "9s", "--http2", "--connections", "8")
	if r.Load.Protocol != "HTTP/2" || r.Runs[0].Lost != 0 || r.Runs[0].OK == 0 {
		t.Errorf("%+v", r.Runs[0].Outcomes)
	}
}

// A person's own compose file: a copy on ports and a network of its own beside the live service, which nothing happens to.
func TestRehearsalLeavesTheRealServiceAlone(t *testing.T) {
	h := newHost(t)
	h.deploy("v1")
	before := h.status()
	traffic := newTraffic(h)
	traffic.releases.Live("v1", time.Now())
	traffic.begin(4, steadyPeriod)
	r, _ := h.rehearse(0, "--swaps", "2", "--duration", "6s")
	traffic.wantNoLoss()
	after := h.status()
	if before.Release != after.Release || before.Live != after.Live || len(after.Profiles) != len(before.Profiles) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	if r.Setup.Service != h.service || len(r.Runs[0].Swaps) != 2 {
		t.Errorf("%+v", r.Setup)
	}
	wantNothingOf(t, r.Setup.Rehearsal)
}

// A release that does not become healthy is what a rehearsal is for: exit 1, and the clients lost nothing by it.
func TestARehearsedReleaseThatFailsIsExitOne(t *testing.T) {
	h := newHost(t, ownKey("health.deadline", "3s"), serviceKey("environment", map[string]any{}))
	r, out := h.rehearse(1, "--swaps", "2", "--duration", "6s", "--image", faultyImage(t, h, "exit-at-boot"))
	run := r.Runs[0]
	if run.Lost != 0 || len(run.Swaps) != 1 || run.Swaps[0].Error == "" || len(r.Verdict.Failures) != 1 {
		t.Errorf("%+v %+v", r.Verdict, run.Swaps)
	}
	if !strings.Contains(out.stderr, "exited with code 1") {
		t.Errorf("the message does not say why: %s", out.stderr)
	}
	wantNothingOf(t, r.Setup.Rehearsal)
}

// faultyImage is examples/hello with a fault built in.
func faultyImage(t *testing.T, h *host, fault string) string {
	t.Helper()
	ctx, name := context.Background(), "bluegreen-e2e/faulty:"+h.id
	made, err := engine.ContainerCreate(ctx, &container.Config{Image: helloImage}, nil, nil, nil, h.id+"-faulty")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = engine.ImageRemove(ctx, name, image.RemoveOptions{Force: true}) })
	_, err = engine.ContainerCommit(ctx, made.ID, container.CommitOptions{Reference: name, Changes: []string{"ENV FAULT=" + fault}})
	if err := errors.Join(err, engine.ContainerRemove(ctx, made.ID, container.RemoveOptions{Force: true})); err != nil {
		t.Fatal(err)
	}
	return name
}

// Ctrl-C in the middle of a swap, and kill -9: in the one case nothing is left at once, in the other the next rehearsal
// removes it, and leaves alone what is under way.
func TestInterruptedRehearsalsLeaveNothing(t *testing.T) {
	h := alone(t)
	args := []string{"rehearse", "--swaps", "3", "--duration", "12s", "--rate", "100"}
	env := []string{"BLUEGREEN_NGINX_IMAGE=" + nginxImage}
	for _, moment := range []time.Duration{100 * time.Millisecond, 1500 * time.Millisecond, 6 * time.Second} {
		mine := awaitRehearsal(t, h.start(env, args...), moment)
		mine.p.signal(os.Interrupt)
		mine.p.signal(os.Interrupt) // as timeout(1) does: to the process, and to its group
		if out := mine.p.wait(); out.code != 130 {
			t.Errorf("after %v, want exit 130: %v", moment, out)
		}
		wantNothingOf(t, mine.id)
	}
	dead := awaitRehearsal(t, h.start(env, args...), 6*time.Second)
	dead.p.kill()
	dead.p.wait()
	if len(ofRehearsal(t, dead.id)) == 0 {
		t.Fatal("a killed rehearsal left nothing: the test has not seen it")
	}
	living := awaitRehearsal(t, h.start(env, args...), 3*time.Second)
	if left := ofRehearsal(t, dead.id); len(left) > 0 {
		t.Errorf("the next rehearsal has not removed %v", left)
	}
	h.must("rehearse", "--clean")
	if len(ofRehearsal(t, living.id)) == 0 {
		t.Error("--clean has removed a rehearsal that is under way")
	}
	if out := living.p.wait(); out.code != 0 {
		t.Errorf("%v", out)
	}
	wantNothingOf(t, living.id)
}

// underWay is a rehearsal of which something is on the engine.
type underWay struct {
	p  *process
	id string
}

// awaitRehearsal waits until a rehearsal has begun, and that long again.
func awaitRehearsal(t *testing.T, p *process, more time.Duration) underWay {
	t.Helper()
	pid := strconv.Itoa(p.cmd.Process.Pid)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		locks, err := engine.ContainerList(t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", "bluegreen.lock.pid="+pid))})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range locks {
			if id, ours := strings.CutPrefix(l.Labels["bluegreen.network"], "bluegreen-rehearsal-"); ours {
				time.Sleep(more)
				return underWay{p, id}
			}
		}
	}
	p.kill()
	t.Fatalf("no rehearsal began: %v", p.wait())
	return underWay{}
}

// The five scripts beside ours, in one report: the same load, the same releases.
func TestRehearsalComparesWithTheRecipe(t *testing.T) {
	skipShort(t)
	h := alone(t)
	page := filepath.Join(h.dir, "report.html")
	r, _ := h.rehearse(0, "--swaps", "2", "--duration", "9s", "--compare", "recipe", "--report", page)
	if len(r.Runs) != 2 || r.Runs[0].Lost != 0 || len(r.Runs[1].Swaps) != 2 {
		t.Fatalf("want two runs of two swaps, nothing lost in ours: %+v", r.Runs)
	}
	recipe := r.Runs[1]
	t.Logf("the recipe lost %d of %d: %+v", recipe.Lost, recipe.Requests, recipe.Outcomes)
	// How much it loses is chance: its reloads reset what arrives in that moment. Its sleeps are not.
	for _, s := range recipe.Swaps {
		if s.Error != "" || s.Ended-s.Began < 10_000 {
			t.Errorf("want a swap with the recipe's sleeps: %+v", s)
		}
	}
	for _, lost := range recipe.Some {
		if strings.Contains(lost.Error, "release 0") {
			t.Errorf("the load began before its first release was live: %+v", lost)
		}
	}
	wantNothingOf(t, r.Setup.Rehearsal)
}

// Only watching, at a modest rate, while a real deploy runs.
func TestObservingARealDeployTouchesNothing(t *testing.T) {
	h := newHost(t)
	h.deploy("v1")
	watching := h.start(nil, "rehearse", "--url", "http://"+h.addr()+"/", "--observe", "9s", "--rate", "50", "--release-header", "X-Version", "-o", "json")
	time.Sleep(2 * time.Second)
	h.deploy("v2")
	out := watching.wait()
	var r rehearsal
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil || out.code != 0 {
		t.Fatalf("%v: %v", err, out)
	}
	run := r.Runs[0]
	if run.Lost != 0 || run.Requests < 400 || run.Requests > 460 || len(run.Releases) != 2 {
		t.Errorf("want 450 requests, none lost, answered by v1 and v2: %+v", run)
	}
}
