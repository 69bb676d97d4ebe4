package load

import (
	"testing"
	"time"
)

func TestTimelineAllowsEachLifeOfARelease(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	var timeline Timeline
	timeline.Live("1", at(0))
	timeline.Live("2", at(10))
	timeline.Live("1", at(15)) // rollback while warm
	timeline.Retired("1", at(20))
	timeline.Retired("1", at(25)) // gone already
	timeline.Live("1", at(30))    // deployed again
	timeline.Retired("3", at(30)) // never live
	for _, test := range []struct {
		version        string
		sent, answered int
		want           bool
	}{
		{"1", 0, 1, true},
		{"1", 19, 22, true}, // sent before its end, answered while it drained
		{"1", 20, 21, true},
		{"1", 21, 22, false},
		{"1", 24, 29, false},
		{"1", 29, 30, true},
		{"2", 8, 9, false},
		{"2", 9, 10, true}, // sent before the switch, answered after
		{"2", 99, 99, true},
		{"3", 29, 29, false},
		{"", 1, 1, false},
	} {
		if got := timeline.Allows(test.version, at(test.sent), at(test.answered)); got != test.want {
			t.Errorf("version %q, sent %d, answered %d: allowed %t, want %t",
				test.version, test.sent, test.answered, got, test.want)
		}
	}
	if (*Timeline)(nil).Allows("9", at(1), at(2)) != true {
		t.Error("no timeline must allow every release")
	}
}
