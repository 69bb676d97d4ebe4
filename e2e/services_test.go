package e2e

import (
	"bytes"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bluegreen/rehearse/load"
)

// Of the services that share one nginx: so many swaps has each of the five.
const (
	fewSwaps  = 8
	manySwaps = 20 // 100 in all: make soak
	// Of each service's swaps, every so many-th is a deploy that replaces a container; the others are rollbacks.
	swapsADeploy            = 4
	lightServiceConnections = 4
)

// street has hosts of one nginx, each with one service.
type street struct {
	t     *testing.T
	hosts []*host
}

// newStreet writes the compose files of services on one nginx of their own; options has those of each.
func newStreet(t *testing.T, options ...[]option) *street {
	t.Helper()
	network := "bge2e-" + runID + "-street" + randomHex(2)
	httpPort, statusPort := freePort(t), freePort(t)
	t.Cleanup(func() { removeAll(t, network) }) // what is no host's own
	s := &street{t: t}
	ports := freePorts(t, 2*len(options))
	for i, own := range options {
		at := map[string]any{"real1": ports[2*i], "real2": ports[2*i+1]}
		own = append([]option{beside(network, httpPort, statusPort), ownKey("profiles", at), ownKey("watch", "0s")}, own...)
		s.hosts = append(s.hosts, newHost(t, own...))
	}
	return s
}

// freePorts are ports in a row: the addresses that profiles have because of them differ, however small the network is that
// Docker gives.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	for range 100 {
		var ports []int
		for base := 20_000 + mathrand.IntN(12_000)/128*128; len(ports) < n; base++ {
			l, err := net.Listen("tcp", fmt.Sprintf(":%d", base))
			if err != nil {
				break
			}
			_ = l.Close()
			if _, dup := taken.LoadOrStore(base, true); dup {
				break
			}
			ports = append(ports, base)
		}
		if len(ports) == n {
			return ports
		}
	}
	t.Fatal("found no free ports in a row")
	return nil
}

// onPaths gives a host's service paths of its names.
func onPaths(paths ...string) option { return ownKey("paths", paths) }

// beginOn starts load for a service that answers POSTs under one path and GETs under another.
func (l *traffic) beginOn(get, post string) {
	mix := []load.Request{{Path: get, Share: 0.5}, {Method: http.MethodPost, Path: post, Body: bytes.Repeat([]byte("a"), bodySize), Share: 0.5}}
	l.runs = append(l.runs, load.Start(l.h.t.Context(), load.Config{
		Target: load.Target{Addr: l.h.addr(), Host: l.h.serverName}, Connections: lightServiceConnections, Period: lightPeriod,
		Mix: mix, Timeline: &l.releases, MaxTime: loadLimit,
	}))
}

func TestServicesOfOneNginxSwapAtOnceAndNoneLosesARequest(t *testing.T) {
	skipShort(t)
	servicesSwap(t, fewSwaps)
}

// TestServicesSoak is the same with a hundred swaps.
func TestServicesSoak(t *testing.T) {
	if os.Getenv("BLUEGREEN_SOAK") != "1" {
		t.Skip("SKIPPED: run `make soak`, which sets BLUEGREEN_SOAK=1")
	}
	servicesSwap(t, manySwaps)
}

// servicesSwap swaps five services, two of which share a name, all at the same time and under load on all.
func servicesSwap(t *testing.T, swaps int) {
	t.Helper()
	s := newStreet(t, []option{underName("s0.example.com")}, []option{underName("s1.example.com")}, []option{underName("*.s2.example.com"), asked("a.s2.example.com")},
		[]option{underName("shared.example.com")}, []option{underName("shared.example.com"), onPaths("/version", "/echo")})
	var all []*traffic
	for i, h := range s.hosts {
		l := newTraffic(h)
		version := fmt.Sprintf("s%d-v1", i)
		l.deployed(version, h.deploy(version))
		get, post := "/", "/"
		if i == len(s.hosts)-1 {
			get, post = "/version", "/echo"
		}
		l.beginOn(get, post)
		all = append(all, l)
	}
	start := time.Now()
	var group sync.WaitGroup
	took := make([]swapTimes, len(all))
	for i, l := range all {
		group.Go(func() { took[i] = l.swapOften(t, i, swaps) })
	}
	group.Wait()
	elapsed := time.Since(start)
	for i, l := range all {
		f := l.wantNoLoss()
		t.Logf("service %d: %d of %d requests lost in %d swaps; deploys %v, rollbacks %v in the median", i, f.lost, f.requests, swaps, took[i].deploy(), took[i].rollback())
		if st := l.h.status(); st.Lock != nil || !st.Serving || st.Service != l.h.service {
			t.Errorf("want it to serve, unlocked: %+v", st)
		}
	}
	t.Logf("%d swaps of %d services in %v", swaps*len(all), len(all), elapsed.Round(time.Millisecond))
}

// asked is the name by which the load asks for a service that has a wildcard.
func asked(name string) option { return func(h *host) { h.serverName = name } }

// swapTimes are how long commands took.
type swapTimes struct{ deploys, rollbacks []int64 }

func (s swapTimes) deploy() time.Duration { return time.Duration(median(s.deploys)) * time.Millisecond }
func (s swapTimes) rollback() time.Duration {
	return time.Duration(median(s.rollbacks)) * time.Millisecond
}

// swapOften swaps a service one time after the other, while others do the same.
func (l *traffic) swapOften(t *testing.T, service, swaps int) (times swapTimes) {
	for n := range swaps {
		if n%swapsADeploy != 0 {
			out := l.h.run("rollback", "-o", "json")
			if times.rollbacks = append(times.rollbacks, out.took.Milliseconds()); out.code != 0 || out.result().Outcome != "rolled_back" {
				t.Errorf("service %d: want a rollback: %v", service, out)
				return times
			}
			continue
		}
		version := fmt.Sprintf("s%d-v%d", service, n+2)
		out := l.h.runWith([]string{"VERSION=" + version}, "deploy", "-o", "json")
		if times.deploys = append(times.deploys, out.took.Milliseconds()); out.code != 0 || out.result().Outcome != "swapped" {
			t.Errorf("service %d: want a swap: %v", service, out)
			return times
		}
		l.deployed(version, out)
	}
	return times
}

// footprint is what must stay the same of a service while others are at work: its containers and its files.
func (h *host) footprint() map[string]string {
	h.t.Helper()
	print := map[string]string{}
	for _, profile := range []string{"real1", "real2"} {
		c, err := engine.ContainerInspect(h.t.Context(), h.container(profile))
		if err == nil {
			print[profile] = c.ID + " " + c.State.StartedAt
		}
	}
	for line := range strings.Lines(h.exec(h.nginx(), "sh", "-euc", `cd /etc/nginx/bluegreen/sites; sha256sum "$1.conf" "$1"/*`, "sh", h.service)) {
		sum, file, _ := strings.Cut(strings.TrimSpace(line), "  ")
		print[file] = sum
	}
	return print
}

func (h *host) wantUntouched(t *testing.T, before map[string]string) {
	t.Helper()
	if now := h.footprint(); !maps.Equal(now, before) {
		t.Errorf("%s is left with\n%v\nnot\n%v", h.service, now, before)
	}
}

// get asks nginx for a page by a host name, and says who answered: the version, or nginx's status.
func (h *host) get(t *testing.T, name, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+h.addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host, req.Close = name, true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if v := resp.Header.Get("X-Version"); v != "" {
		return v
	}
	return resp.Status
}

// One service's site is damaged by hand while another is deployed; then one is taken down.
func TestServicesOfOneNginxAreNothingToEachOther(t *testing.T) {
	s := newStreet(t, []option{underName("shared.example.com")}, []option{underName("shared.example.com"), onPaths("/version", "/profile")})
	shop, api := s.hosts[0], s.hosts[1]
	shop.deploy("shop1")
	api.deploy("api1")
	before := api.footprint()
	damaged := "/etc/nginx/bluegreen/sites/" + api.service + "/proxy.inc"
	for _, damage := range []string{"printf 'nonsense;' >", "rm "} {
		sh := "set -eu; " + damage + damaged
		shop.exec(shop.nginx(), "sh", "-c", sh)
		out := shop.mustWith([]string{"VERSION=shop2"}, "deploy", "--force")
		if !strings.Contains(out.stderr, "warning: ") || !strings.Contains(out.stderr, "the site of service "+api.service) {
			t.Errorf("want it to say whose site it put back: %v", out)
		}
		api.wantUntouched(t, before)
	}
	shop.exec(shop.nginx(), "sh", "-euc", "cd /etc/nginx/bluegreen/sites/; rm $1/confirmed.json; printf nonsense >$1/paths.inc", "sh", api.service)
	out := shop.runWith([]string{"VERSION=shop3"}, "deploy", "--force")
	if out.code != 1 || !strings.Contains(out.stderr, "bluegreen deploy "+api.service) || !strings.Contains(out.stderr, api.service+"/paths.inc") {
		t.Errorf("want the other service and its file named: %v", out)
	}
	if got := shop.get(t, "shared.example.com", "/"); got != "shop2" {
		t.Errorf("%s answers", got)
	}
	api.mustWith([]string{"VERSION=api1"}, "deploy")
	before = api.footprint()
	shop.mustWith([]string{"VERSION=shop3"}, "deploy")
	shop.rollback()
	for name, h := range map[string]*host{"shop2": shop, "api1": api} {
		if st := h.status(); st.Service != h.service || !st.Serving || st.Lock != nil {
			t.Errorf("%s: %+v", name, st)
		}
	}
	other := newHost(t, beside(shop.network, shop.httpPort, shop.statusPort), underName("shared.example.com"))
	if out := other.runWith([]string{"VERSION=x"}, "deploy"); out.code != 2 || !strings.Contains(out.stderr, "serves the name shared.example.com on this nginx already") {
		t.Errorf("want the name refused: %v", out)
	}
	shop.must("down")
	api.wantUntouched(t, before)
	if a, b := api.get(t, "shared.example.com", "/version"), api.get(t, "shared.example.com", "/"); a != "api1" || !strings.HasPrefix(b, "404") {
		t.Errorf("after down of the other one: %s, %s", a, b)
	}
	if out := api.must("status"); !strings.Contains(out.stdout, api.service) || slices.Contains(strings.Fields(out.stdout), shop.service) {
		t.Errorf("%v", out)
	}
}
