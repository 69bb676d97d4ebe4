package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserPatience bounds everything a test does with the browser.
const browserPatience = 5 * time.Minute

// browser finds a Chromium: without one the test is skipped, and fails where everything was promised to be there.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("BLUEGREEN_TEST_ENGINE") == "1" {
		t.Fatal("no Chromium: scripts/ensure-chromium.sh installs it")
	}
	t.Skip("NOT TESTED: the page in a browser. No Chromium: scripts/ensure-chromium.sh installs it")
	return ""
}

// tab is a page in a browser, and everything that it asked for or complained of.
type tab struct {
	ctx context.Context

	mu     sync.Mutex
	asked  []string
	issues []string
}

// newTab starts a browser that ends with the test.
func newTab(t *testing.T) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser(t)), chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND")) // what is asked for nevertheless goes nowhere
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	bounded, stop := context.WithTimeout(t.Context(), browserPatience)
	t.Cleanup(stop)
	allocator, end := chromedp.NewExecAllocator(bounded, options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &tab{ctx: ctx}
	chromedp.ListenTarget(ctx, b.hear)
	b.do(t, network.Enable(), log.Enable(), runtime.Enable(), audits.Enable(), page.Enable())
	return b
}

func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	case *runtime.EventConsoleAPICalled:
		b.issues = append(b.issues, fmt.Sprint("console: ", e.Type))
	case *runtime.EventExceptionThrown:
		b.issues = append(b.issues, "exception: "+e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		b.issues = append(b.issues, "log: "+e.Entry.Text)
	case *audits.EventIssueAdded:
		b.issues = append(b.issues, fmt.Sprint("issue: ", e.Issue.Code))
	}
}

func (b *tab) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// ask evaluates an expression in the page.
func (b *tab) ask(t *testing.T, expression string, into any) {
	t.Helper()
	b.do(t, chromedp.Evaluate(expression, into))
}

// open writes the report's page to a file and loads that.
func (b *tab) open(t *testing.T, r Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b.do(t, chromedp.Navigate("file://"+path))
	return "file://" + path
}

// look makes the page so wide, in a colour scheme.
func (b *tab) look(t *testing.T, width int64, scheme string) {
	t.Helper()
	b.do(t, emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
}

// shots names a directory for pictures of the page, for a person to look at.
const shots = "BLUEGREEN_TEST_SHOTS"

// shoot keeps a picture of the page.
func (b *tab) shoot(t *testing.T, name string) {
	t.Helper()
	if os.Getenv(shots) == "" {
		return
	}
	var png []byte
	b.do(t, chromedp.FullScreenshot(&png, 100))
	keep(t, name+".png", png)
}

// keep writes a file to look at.
func keep(t *testing.T, name string, data []byte) {
	t.Helper()
	dir := os.Getenv(shots)
	if dir == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// quiet asserts that nothing but the page was asked for, and that the browser had nothing to say.
func (b *tab) quiet(t *testing.T, url string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, asked := range b.asked {
		if asked != url && !strings.HasPrefix(asked, "data:") {
			t.Errorf("the page asked for %s", asked)
		}
	}
	if len(b.asked) == 0 {
		t.Error("the browser reported no request at all, not even the page's: the test sees nothing")
	}
	for _, issue := range b.issues {
		t.Error("the browser says:", issue)
	}
	b.asked, b.issues = nil, nil
}
