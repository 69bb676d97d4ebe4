package swap

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
)

// totalsOf are the totals that a history's text has.
func totalsOf(text string) Totals { return tallyOf(ParseHistory([]byte(text))).totals }

// totals are those of the service.
func (h *host) totals() Totals {
	defer h.lock()()
	return totalsOf(h.volumes["bluegreen-nginx"][nginx.HistoryPath("shop")])
}

// flat are all numbers of totals, by name.
func (t Totals) flat() map[string]int {
	all := map[string]int{
		"failures": t.Failures, "switches": t.Switches, "switch_ms": int(t.SwitchMS), "releases": t.Releases, "last_swap": int(t.LastSwap.UnixMilli()),
	}
	for command, c := range t.Commands {
		all[string(command)+" timed"], all[string(command)+" ms"] = c.Timed, int(c.MS)
		for outcome, n := range c.Outcomes {
			all[string(command)+" "+string(outcome)] = n
		}
	}
	return all
}

// shrunk says which number of before is smaller now, "" when none is. The fake host asks at every line that anybody writes.
func shrunk(before, now Totals) string {
	is := now.flat()
	for name, n := range before.flat() {
		if is[name] < n {
			return fmt.Sprintf("%s from %d to %d", name, n, is[name])
		}
	}
	return ""
}

// runs are how many runs totals count.
func (t Totals) runs() (n int) {
	for _, c := range t.Commands {
		for _, k := range c.Outcomes {
			n += k
		}
	}
	return n
}

// checkCounted is what is true after every run: each run that has a line is counted, and each once. Only the last line may be that
// of a run which could not write its end: the next line counts it.
func checkCounted(t *testing.T, h *host) {
	t.Helper()
	list := h.records()
	all := tallyOf(list)
	for i, r := range list {
		if !all.counted[r.Run] && i < len(list)-1 {
			t.Errorf("not counted: %s %s of run %s", r.Command, r.Outcome, r.Run)
		}
	}
	if got, want := all.totals.runs(), len(all.counted); got != want {
		t.Errorf("%d runs are counted, and there were %d", got, want)
	}
}

// TestTotalsOutliveTheLinesThatAreKept: after more runs than the history has lines, of which the first are gone.
func TestTotalsOutliveTheLinesThatAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		path := nginx.HistoryPath("shop")
		const before = KeptRecords + 200
		all := tallyOf(h.records())
		for i := range before {
			r := all.line(Record{Run: fmt.Sprint("run-", i), Command: Reload, Outcome: Done, Time: time.Now(), MS: 10, Steps: []Timing{}}, true)
			h.volumes["bluegreen-nginx"][path] = appended(h.volumes["bluegreen-nginx"][path], r.line("shop"))
			all.wrote(r)
		}
		const more = 5
		for range more {
			h.mustRun(t, command(MaintenanceOn))
			h.mustRun(t, command(MaintenanceOff))
		}
		got := h.totals()
		if n := len(h.records()); n != KeptRecords {
			t.Errorf("%d lines", n)
		}
		for c, want := range map[Command]int{Reload: before, MaintenanceOn: more, MaintenanceOff: more} {
			if n := got.Commands[c].Outcomes[Done]; n != want {
				t.Errorf("%s: %d, want %d", c, n, want)
			}
		}
		if d := got.Commands[Deploy]; d.Outcomes[Swapped] != 2 || d.Timed != 2 || d.MS <= 0 || got.Commands[Reload].MS != 10*before {
			t.Errorf("deploys %+v", d)
		}
		if got.Switches != 2 || got.SwitchMS <= 0 || got.Releases != 2 || got.LastSwap.IsZero() || got.Failures != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func BenchmarkParseHistory(b *testing.B) {
	all := tallyOf(nil)
	for _, with := range []bool{false, true} {
		text := ""
		for i := range KeptRecords {
			r := all.line(Record{Run: fmt.Sprint("run-", i), Command: Deploy, Outcome: Swapped, Time: time.Now(), MS: 10, Steps: make([]Timing, 10), ImageID: strings.Repeat("x", 70)}, true)
			all.wrote(r)
			if !with {
				r.Totals = nil
			}
			text += r.line("shop").Text + "\n"
		}
		b.Run(fmt.Sprint(with, len(text)), func(b *testing.B) {
			for range b.N {
				ParseHistory([]byte(text))
			}
		})
	}
}

// TestARunThatIsSwitchedBackIsCountedAsThatAlone: its line says swapped for a while, which nobody counts.
func TestARunThatIsSwitchedBackIsCountedAsThatAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var during Totals
		h, _, _, err := watched(t, 3, func(h *host) {
			during = h.totals()
			makeSick("shop-real1", 99)(h)
		})
		var back *SwitchedBackError
		if !errors.As(err, &back) {
			t.Fatal(err)
		}
		if n := during.runs(); n != 2 {
			t.Errorf("%d runs while the third was watched", n)
		}
		got := h.totals()
		if want := (map[Outcome]int{Swapped: 2, RolledBack: 1}); !maps.Equal(got.Commands[Deploy].Outcomes, want) || got.Failures != 1 {
			t.Errorf("%+v", got)
		}
		checkWhole(t, h)
	})
}

// TestWhatFailedIsCounted, and what somebody interrupted is not: nor is a rollback a failure.
func TestWhatFailedIsCounted(t *testing.T) {
	for _, c := range []struct {
		r    Record
		want int
	}{
		{Record{Command: Deploy, Outcome: Swapped}, 0}, {Record{Command: Deploy, Outcome: Swapped, Error: "interrupted"}, 0},
		{Record{Command: Deploy, Outcome: Failed}, 1}, {Record{Command: Deploy, Outcome: RolledBack, Error: "x"}, 1}, {Record{Command: Rollback, Outcome: RolledBack}, 0},
		{Record{Command: Rollback, Outcome: RolledBack, Error: "switched back"}, 1}, {Record{Command: Deploy, Outcome: Interrupted}, 0}, {Record{Command: Stop, Outcome: Done}, 0},
	} {
		if got := (Totals{}).with(c.r).Failures; got != c.want {
			t.Errorf("%+v: %d", c.r, got)
		}
	}
}

// TestAHistoryOfAnOlderBluegreenIsCounted, whose lines have no totals, and one that it has written into since.
func TestAHistoryOfAnOlderBluegreenIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hostWith(t, "v1", "v2")
		older := func(r Record) Record { r.Totals, r.Counted, r.Others = nil, false, nil; return r }
		text := ""
		for _, r := range h.records() {
			text += older(r).line("shop").Text + "\n"
		}
		h.volumes["bluegreen-nginx"][nginx.HistoryPath("shop")] = text
		h.mustRun(t, deploy("v3"))
		if n := h.totals().Commands[Deploy].Outcomes[Swapped]; n != 3 {
			t.Errorf("%d deploys", n)
		}
		last := h.records()[2]
		last.Run = "of-the-older"
		h.volumes["bluegreen-nginx"][nginx.HistoryPath("shop")] += older(last).line("shop").Text + "\n"
		h.mustRun(t, command(Rollback))
		if got := h.totals(); got.Commands[Deploy].Outcomes[Swapped] != 4 || got.runs() != 5 {
			t.Errorf("%+v", got)
		}
		checkWhole(t, h)
	})
}

// TestARunThatIsKilledInItsWatchIsCountedOnce, also when somebody broke its lock by hand, so that the next run knows nothing of it
// but its line.
func TestARunThatIsKilledInItsWatchIsCountedOnce(t *testing.T) {
	for _, unlocked := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := hostWith(t, "v1", "v2")
			_, _ = h.process(fault{call{"Probe", 6}, killBefore}).run(deploy("v3"))
			if n := h.totals().runs(); n != 2 {
				t.Errorf("%d runs before anybody knows what became of the third", n)
			}
			if unlocked {
				w := h.process(fault{}).world()
				locks, err := Locks(t.Context(), w, shop(""))
				if err != nil || len(locks) != 1 || Unlock(t.Context(), w, shop(""), locks[0]) != nil {
					t.Fatal(locks, err)
				}
			}
			soon()
			h.mustRun(t, deploy("v4"))
			if got := h.totals(); got.Commands[Deploy].Outcomes[Swapped] != 4 || got.runs() != 4 {
				t.Errorf("unlocked %v: %+v", unlocked, got)
			}
			checkWhole(t, h)
		})
	}
}

func TestMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := twoServices(t)
		h.mustRun(t, command(MaintenanceOn))
		h.mustRun(t, pause("v3"))
		read := func() []Measures {
			all, err := ReadMeasures(t.Context(), h.process(fault{}).world(), []*config.Service{nameOnly("other"), nameOnly("shop")})
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		all := read()
		other, own := all[0], all[1]
		if other.Service != "other" || !other.Serving || other.Totals.Releases != 1 || other.Paused != nil || other.Maintenance != nil || other.LastSwap.IsZero() {
			t.Errorf("%+v", other)
		}
		if own.Service != "shop" || own.Release != 2 || own.Maintenance == nil || own.Totals.Releases != 3 || own.Paused == nil || !own.LastRun.After(own.LastSwap) {
			t.Errorf("%+v", own)
		}
		h.mustRun(t, command(Promote))
		if own = read()[1]; own.Paused != nil || own.Totals.Commands[Deploy].Outcomes[Paused] != 1 || own.Release != 3 {
			t.Errorf("%+v", own)
		}
	})
}
