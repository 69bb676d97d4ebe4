package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
)

// shelf is a registry for a host in memory, and what was asked of it.
type shelf struct {
	h      *host
	has    map[string]docker.Image // by reference
	err    error                   // of every pull and question
	hangs  bool                    // nothing comes, ever
	asked  []string
	events []Event
}

func newShelf(h *host) *shelf { return &shelf{h: h, has: map[string]docker.Image{}} }

// put makes an image to be had; its digest follows from its content.
func (s *shelf) put(ref, content, platform string) docker.Image {
	i := docker.Image{ID: "sha256:" + content, Ref: ref, Platform: platform, Digest: "sha256:d-" + content, Digests: []string{"sha256:d-" + content}}
	s.has[ref] = i
	return i
}

// pulled puts an image on the shelf and on the host.
func (s *shelf) pulled(ref, content, platform string) {
	s.h.images[ref] = s.put(ref, content, platform)
}

func (s *shelf) get(ctx context.Context, what, ref string) (docker.Image, error) {
	s.asked = append(s.asked, what+" "+ref)
	if s.hangs {
		<-ctx.Done()
		return docker.Image{}, fmt.Errorf("%s %s: %w", what, ref, ctx.Err())
	}
	i, ok := s.has[ref]
	if s.err == nil && !ok {
		return i, &docker.RegistryError{Image: ref, Registry: "registry.example", Why: docker.NoSuch, Err: errors.New("manifest unknown")}
	}
	return i, s.err
}

// run runs a request on the host with this registry.
func (s *shelf) run(ctx context.Context, r Request) (Result, error) {
	w := s.h.process(fault{}).world()
	w.Pull = func(ctx context.Context, ref, _ string, progress func(docker.PullProgress)) (docker.Image, error) {
		progress(docker.PullProgress{Layer: "abc", Status: "Downloading", Current: 1, Total: 2})
		i, err := s.get(ctx, "pull", ref)
		if err == nil {
			s.h.images[ref] = i
		}
		return i, err
	}
	w.Remote = func(ctx context.Context, ref string) (docker.Remote, error) {
		i, err := s.get(ctx, "ask", ref)
		if err != nil {
			return docker.Remote{}, err
		}
		return docker.Remote{Digest: i.Digest, Platforms: []string{i.Platform}}, nil
	}
	r.Emit = func(e Event) { s.events = append(s.events, e) }
	return Run(ctx, w, r)
}

// said are the texts of events and notes.
func (s *shelf) said() string {
	var b strings.Builder
	for _, e := range s.events {
		fmt.Fprintln(&b, e.Text)
		if e.Plan != nil {
			fmt.Fprintln(&b, strings.Join(e.Plan.Notes, "\n"))
		}
	}
	return b.String()
}

const host64 = "linux/amd64"

func TestPullPolicyDecidesWhetherTheRegistryIsAsked(t *testing.T) {
	for _, x := range []struct {
		policy string
		here   bool
		old    time.Duration // since the tag; 0: the engine does not tell
		want   string        // asked for
		fails  bool
	}{
		{"", false, 0, "pull a:1", false},
		{"", true, 0, "ask a:1", false},
		{"missing", false, 0, "pull a:1", false},
		{"if_not_present", true, 0, "ask a:1", false},
		{"always", true, 0, "pull a:1", false},
		{"never", false, 0, "", true},
		{"never", true, 0, "", false},
		{"build", false, 0, "", true},
		{"build", true, 0, "", false},
		{"daily", false, 0, "pull a:1", false},
		{"daily", true, 0, "pull a:1", false},
		{"daily", true, 23 * time.Hour, "", false},
		{"daily", true, 25 * time.Hour, "pull a:1", false},
		{"every_90m", true, time.Hour, "", false},
		{"every_90m", true, 2 * time.Hour, "pull a:1", false},
	} {
		t.Run(fmt.Sprint(x.policy, x.here, x.old), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(newHost())
				i := s.put("a:1", "one", host64)
				if x.old > 0 {
					i.Tagged = time.Now().Add(-x.old)
				}
				if x.here {
					s.h.images["a:1"] = i
				}
				r := deploy("a:1")
				r.Service.Compose.PullPolicy = x.policy
				_, err := s.run(t.Context(), r)
				if (err != nil) != x.fails || x.fails && (ExitCode(err) != ExitFailed || !strings.Contains(err.Error(), x.policy)) {
					t.Errorf("got %v", err)
				}
				if got := strings.Join(s.asked, ", "); got != x.want {
					t.Errorf("asked %q, want %q", got, x.want)
				}
			})
		})
	}
}

func TestWhatCannotBeFetchedLeavesLiveUntouchedAndTheLockFree(t *testing.T) {
	for _, x := range []struct {
		name string
		set  func(*shelf)
		want string
		code int
	}{
		{"no login", func(s *shelf) {
			s.err = &docker.RegistryError{Image: "a:2", Registry: "registry.example", Why: docker.NeedsLogin, Err: errors.New("401")}
		}, "wants a login", ExitFailed},
		{"vanished tag", func(*shelf) {}, "has no such image", ExitFailed},
		{"a registry that stalls", func(s *shelf) {
			s.err = &docker.RegistryError{Image: "a:2", Registry: "registry.example", Why: docker.Stalled, Silence: time.Minute}
		}, "stalls", ExitFailed},
		{"--timeout", func(s *shelf) { s.hangs = true }, "--timeout passed: while image a:2 was fetched; nothing was touched", ExitFailed},
		{"Ctrl-C", func(s *shelf) { s.hangs = true }, "interrupted: while image a:2 was fetched", ExitInterrupted},
		{"another platform", func(s *shelf) { s.put("a:2", "two", "linux/arm64") }, "is for linux/arm64, and the host is linux/amd64", ExitFailed},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1", "v2")
				before := h.summary()
				s := newShelf(h)
				x.set(s)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if x.name == "Ctrl-C" {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(time.Second, cancel)
				}
				res, err := s.run(ctx, deploy("a:2"))
				if ExitCode(err) != x.code || !strings.Contains(err.Error(), x.want) || res.Live != "real2" {
					t.Errorf("got %+v, %v", res, err)
				}
				if after := h.summary(); after != before {
					t.Errorf("touched: before\n%s\nafter\n%s", before, after)
				}
				if last := h.records(); last[len(last)-1].Error == "" {
					t.Error("the history does not tell")
				}
			})
		})
	}
}

func TestDigestIsRecordedAndIsNoPartOfWhatIsTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := newShelf(h)
		s.put("a:1", "one", host64)
		r := deploy("a:1")
		if _, err := s.run(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		const want = "sha256:d-one"
		if got := h.must(t, "shop-real1").Labels[LabelDigest]; got != want {
			t.Errorf("label %q", got)
		}
		if got := h.state(t).Confirmed.Digest; got != want {
			t.Errorf("confirmed %q", got)
		}
		if all := h.records(); all[len(all)-1].Digest != want {
			t.Errorf("history %+v", all)
		}
		st, err := ReadStatus(t.Context(), h.process(fault{}).world(), r.Service)
		if err != nil || st.Profiles[0].Digest != want {
			t.Errorf("status %+v, %v", st, err)
		}
		again := s.put("a@"+want, "one", host64)
		again.Digest = "sha256:other-manifest"
		s.has["a@"+want] = again
		if res, err := s.run(t.Context(), Request{Command: Deploy, Service: shop("a@" + want)}); err != nil || res.Outcome != Unchanged {
			t.Errorf("the same image under another digest: %+v, %v", res, err)
		}
		deployed("v2")(t, h)
		if _, there := h.must(t, "shop-real2").Labels[LabelDigest]; there || h.state(t).Confirmed.Digest != "" {
			t.Error("an image of no registry has a digest")
		}
	})
}

func TestMovedTagIsNotedByADeployThatGoesByWhatTheHostHas(t *testing.T) {
	for _, dry := range []bool{false, true} {
		t.Run(fmt.Sprint("dry run ", dry), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShelf(newHost())
				s.pulled("a:1", "one", host64)
				r := deploy("a:1")
				if _, err := s.run(t.Context(), r); err != nil || strings.Contains(s.said(), "moved") {
					t.Fatalf("%v: %s", err, s.said())
				}
				s.put("a:1", "two", host64)
				r.DryRun, s.asked = dry, nil
				res, err := s.run(t.Context(), r)
				if err != nil || res.Outcome != Unchanged {
					t.Errorf("%+v, %v", res, err)
				}
				for _, part := range []string{"a:1 has moved in its registry (to sha256:d-two)", "(sha256:d-one)", "`bluegreen deploy --pull always` takes the new one"} {
					if !strings.Contains(s.said(), part) {
						t.Errorf("%q is not said:\n%s", part, s.said())
					}
				}
				r.Service.Compose.PullPolicy = "always"
				if res, err := s.run(t.Context(), r); err != nil || res.Outcome == Unchanged {
					t.Errorf("--pull always: %+v, %v", res, err)
				}
			})
		})
	}
}

func TestOnlyWhatCanMoveIsAskedForAndARegistryThatIsDownIsNoReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(newHost())
		pinned := "a@sha256:" + strings.Repeat("1", 64)
		s.pulled(pinned, "one", host64)
		for _, ref := range []string{"v1", pinned} {
			if _, err := s.run(t.Context(), deploy(ref)); err != nil || len(s.asked) > 0 {
				t.Errorf("%s: asked %q, %v", ref, s.asked, err)
			}
		}
		s.pulled("a:1", "three", host64)
		s.hangs = true
		start := time.Now()
		if _, err := s.run(t.Context(), deploy("a:1")); err != nil || len(s.asked) != 1 {
			t.Errorf("asked %q, %v", s.asked, err)
		}
		if took := time.Since(start); took < noteTime || took > noteTime+20*time.Second {
			t.Errorf("took %v", took)
		}
		if i := slices.IndexFunc(s.events, func(e Event) bool { return strings.Contains(e.Text, "could not be asked") }); i < 0 || !s.events[i].Detail {
			t.Errorf("said %s", s.said())
		}
	})
}

func TestDryRunResolvesTheImageByAskingTheRegistry(t *testing.T) {
	for _, x := range []struct {
		name string
		set  func(*shelf, *config.Service)
		said string
		err  string
	}{
		{"absent here", func(s *shelf, _ *config.Service) { s.put("a:1", "one", host64) }, "is not on this host yet; a deploy would pull it first (sha256:d-one)", ""},
		{"absent everywhere", func(*shelf, *config.Service) {}, "", "has no such image"},
		{"registry down", func(s *shelf, _ *config.Service) {
			s.err = &docker.RegistryError{Image: "a:1", Registry: "r", Why: docker.Otherwise, Err: errors.New("refused")}
		}, "its registry could not be asked", ""},
		{"registry silent", func(s *shelf, _ *config.Service) { s.hangs = true }, "its registry could not be asked", ""},
		{"other platform", func(s *shelf, _ *config.Service) { s.put("a:1", "one", "linux/arm64") }, "", "is for linux/arm64"},
		{"other platform, asked for", func(s *shelf, c *config.Service) {
			s.put("a:1", "one", "linux/arm64")
			c.Compose.Platform = "linux/arm64"
		}, "would pull it first", ""},
		{"always, moved", func(s *shelf, c *config.Service) {
			s.pulled("a:1", "zero", host64)
			s.put("a:1", "one", host64)
			c.Compose.PullPolicy = "always"
		}, "is on this host; a deploy would pull it first (sha256:d-one)", ""},
		{"never, absent", func(_ *shelf, c *config.Service) { c.Compose.PullPolicy = "never" }, "", "pull policy is never"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hostWith(t, "v1")
				s, r := newShelf(h), deploy("a:1")
				r.DryRun = true
				x.set(s, r.Service)
				res, err := s.run(t.Context(), r)
				if x.err == "" && (err != nil || res.Outcome != OnlyPlanned || !strings.Contains(s.said(), x.said)) {
					t.Errorf("%+v, %v; said %s", res, err, s.said())
				}
				if x.err != "" && (ExitCode(err) != ExitFailed || !strings.Contains(err.Error(), x.err)) {
					t.Errorf("got %v", err)
				}
				if i := slices.IndexFunc(s.asked, func(a string) bool { return strings.HasPrefix(a, "pull") }); i >= 0 {
					t.Error("a dry run pulled")
				}
			})
		})
	}
}

func TestPlatformThatIsAskedForIsANoteAndALocalImageForAnotherOneDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(newHost())
		s.pulled("a:1", "one", host64)
		s.put("a:1", "arm", "linux/arm64")
		r := deploy("a:1")
		r.Service.Compose.Platform = "linux/arm64"
		if _, err := s.run(t.Context(), r); err != nil || s.asked[0] != "pull a:1" || !strings.Contains(s.said(), "it is emulated") {
			t.Errorf("asked %q, %v; said %s", s.asked, err, s.said())
		}
		s.pulled("a:1", "one", host64)
		r.Service.Compose.PullPolicy = "never"
		if _, err := s.run(t.Context(), r); err == nil || !strings.Contains(err.Error(), "a:1 for linux/arm64: not found on this host") {
			t.Errorf("got %v", err)
		}
	})
}

func TestPullIsToldFromItsBeginToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(newHost())
		s.put("a:1", "one", host64)
		if _, err := s.run(t.Context(), deploy("a:1")); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range s.events {
			if e.Pull == "a:1" {
				got = append(got, fmt.Sprintf("%s %t %t", e.Text, e.Layer != nil, e.Duration > 0))
			}
		}
		if want := "pulling a:1 false false|Downloading true false|pulled a:1 (sha256:d-one) in 0.0 s false true"; strings.Join(got, "|") != want {
			t.Errorf("got %q", got)
		}
	})
}
