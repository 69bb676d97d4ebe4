package swap

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"bluegreen/config"
	"bluegreen/nginx"
)

// snipped gives a service a snippet of that text.
func snipped(text string) func(*config.Service) {
	return func(s *config.Service) {
		s.Web.Snippet = &config.File{Path: "extra/more.conf", Name: "00ab.inc"}
		s.Contents = map[string]config.Content{"00ab.inc": {Text: []byte(text)}}
	}
}

func TestABrokenSnippetIsRefusedByItsOwnNameBeforeAnythingIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		before := h.summary()
		p := h.process(fault{})
		_, err := p.run(Request{Command: Deploy, Service: shop("v3", snipped("broken"))})
		if ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "extra/more.conf:1") || strings.Contains(err.Error(), "00ab") {
			t.Errorf("exit code %d: %v", ExitCode(err), err)
		}
		if i := slices.IndexFunc(p.calls, func(c call) bool { return slices.Contains([]string{"Stop", "Rename", "CreateProfile"}, c.op) }); i >= 0 {
			t.Errorf("%v was made for it", p.calls[i])
		}
		if after := h.summary(); after != before {
			t.Errorf("from\n%s\nto\n%s", before, after)
		}
		soon()
		checkSettled(t, h)
		h.mustRun(t, Request{Command: Deploy, Service: shop("v3", snipped("add_header X-A a;"))})
		checkSettled(t, h)
	})
}

func TestABrokenSnippetOfAReloadIsNamedAsThePersonNamesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		_, err := h.process(fault{}).run(Request{Command: Reload, Service: shop("", snipped("broken"))})
		var refused *nginx.TestError
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "extra/more.conf:1") || strings.Contains(err.Error(), "00ab") {
			t.Errorf("%v", err)
		}
		checkSettled(t, h)
	})
}

func TestWhatAnotherServiceBrokeIsNoFaultOfASnippet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withOther(t)
		h.volumes["bluegreen-nginx"][nginx.SitePath("other")] = "broken"
		if _, err := h.process(fault{}).run(Request{Command: Deploy, Service: shop("v3", snipped("add_header X-A a;"))}); err != nil {
			t.Errorf("the switch mends it, as ever: %v", err)
		}
	})
}
