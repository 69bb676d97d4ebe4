package nginx

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNginxTakesTheGoldenFiles(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := newEngine(t, image)
		texts := golden()
		main := texts["nginx-1.22.conf"]
		if SupportsKeepaliveMinTimeout(e.version()) {
			main = texts["nginx-1.30.conf"]
		}
		for name, files := range map[string][]File{
			"no site": nil,
			"default": Site(defaultSite()),
			"names":   append(Site(namedSite()), File{Path: "sites/shop.conf", Remove: true}),
			"shared":  slices.Concat(Site(namedSite()), Site(sharedSite()), Site(defaultSite())),
		} {
			files = append(files, File{Path: MainPath, Text: main},
				File{Path: IncludePath("shop"), Text: texts["service-url.inc"]},
				File{Path: IncludePath("api"), Text: Include(Target{"api", "real1", 1})},
				File{Path: IncludePath("blog.v2"), Text: Include(Target{"blog.v2", "real1", 1})})
			if err := Apply(t.Context(), e, Change{Run: "golden", Files: files, Test: true}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestASwapIsTestedSignalledAndConfirmed(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		for release := 2; release <= 5; release++ {
			want := Target{"shop", fmt.Sprintf("real%d", 2-release%2), release}
			applied, confirmed := e.swap(want)
			t.Logf("applied after %v, confirmed after %v", applied, confirmed)
		}
		if err := Drain(t.Context(), e, 20*time.Second, nil); err != nil {
			t.Error(err)
		}
		if got, err := e.status.Ask(t.Context(), "blog"); err == nil {
			t.Errorf("an unknown service is answered by %v", got)
		}
	})
}

func TestARefusedConfigurationChangesNothing(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		before, err := ReadWorkers(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		c := swapTo("run-2", Target{"shop", "real2", 2})
		c.Files = append(c.Files, File{Path: SitePath("shop"), Text: "\nbroken on;\n"})
		var refused *TestError
		if err := Apply(t.Context(), e, c); !errors.As(err, &refused) {
			t.Fatalf("got %v", err)
		}
		if want := `unknown directive "broken" in sites/shop.conf:2`; !strings.Contains(refused.Output, want) {
			t.Errorf("%q does not say %q", refused.Output, want)
		}
		e.mustServe(Target{"shop", "real1", 1})
		want := Target{"shop", "real2", 2}
		var not *NotConfirmedError
		if err := Confirm(t.Context(), e, Confirmation{Before: before, Listener: e.status, Want: &want, Deadline: 300 * time.Millisecond}); !errors.As(err, &not) {
			t.Errorf("without a reload: %v", err)
		}
	})
}

func (e *engine) mustServe(want Target) {
	e.t.Helper()
	if got, err := e.status.Ask(e.t.Context(), want.Service); err != nil || got != want {
		e.t.Errorf("got %v, %v; want %v", got, err, want)
	}
}

// A killed client leaves its command running in the container, a killed container does not.
func TestAKillMidwayLeavesAnNginxThatStarts(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		for i := range 6 {
			target := Target{"shop", fmt.Sprintf("real%d", 1+i%2), 10 + i}
			e.applyKilledAfter(time.Duration(30+20*i)*time.Millisecond, swapTo(fmt.Sprintf("killed-%d", i), target))
			if i%2 == 0 {
				docker(t, "kill", e.name)
				docker(t, "start", e.name)
				e.findPorts()
			}
			if err := Apply(t.Context(), e, Change{Run: "next", Test: true, Reload: true}); err != nil {
				t.Fatal(err)
			}
			e.mustForget("-killed-")
		}
		e.swap(Target{"shop", "real1", 99})
	})
}

// mustForget: a command whose client was killed may still be on its way out.
func (e *engine) mustForget(run string) {
	e.t.Helper()
	var files string
	for range 200 {
		files = docker(e.t, "exec", e.name, "sh", "-c", "cd "+Root+"; echo .[a-z]* * */.[a-z]* */*/.[a-z]*")
		if !strings.Contains(files, run) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	e.t.Errorf("left: %s", files)
}

func (e *engine) applyKilledAfter(d time.Duration, c Change) {
	e.t.Helper()
	args, err := c.arguments(Root)
	if err != nil {
		e.t.Fatal(err)
	}
	client := exec.Command("docker", e.command(append([]string{"sh", "-c", applyScript, "bluegreen"}, args...))...)
	if err := client.Start(); err != nil {
		e.t.Fatal(err)
	}
	time.Sleep(d)
	client.Process.Kill()
	client.Wait()
}
