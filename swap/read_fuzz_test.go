package swap

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"bluegreen/docker"
)

// FuzzParseState: a state that somebody edited is read, and written again so that it reads the same, or is an error.
func FuzzParseState(f *testing.F) {
	full := State{
		Confirmed: &ReleaseRef{2, "real2", "v2", "sha256:v2", "sha256:2"}, Previous: &ReleaseRef{1, "real1", "v1", "sha256:v1", ""}, LastLive: 2,
		Intent: &Intent{Run: "r", Kind: Deploy, To: &ReleaseRef{Release: 3, Profile: "real1"}}, Settings: &shop("v1").Settings,
	}
	f.Add([]byte(full.text()))
	for _, text := range []string{
		"", "null", "{}", "[]", "{", `{"confirmed":{"release":-1}}`, `{"confirmed":{"release":1e99}}`, `{"confirmed":[]}`, `{"settings":{"watch":5}}`, `{"settings":{"profiles":[]}}`,
		`{"last_live":9223372036854775807}`, "\x00\x00", full.text() + full.text(), `{"settings":{"watch":"1h"},"confirmed":{"profile":"\u0000;"}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parseState(text)
		if err != nil {
			return
		}
		again, err := parseState([]byte(s.text()))
		if err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%+v became %+v, %v", s, again, err)
		}
	})
}

// FuzzParseHistory: whatever lines there are, those that are records are read, and no other stops it.
func FuzzParseHistory(f *testing.F) {
	good, _ := json.Marshal(Record{Run: "r", Command: Deploy, Outcome: Swapped, Release: 3, Error: "a\nb"})
	for _, text := range []string{string(good), "", "\n\n", "null", "{}", "[]", "5", `{"time":"yesterday"}`, `{"release":"3"}`, "{", "\x00", string(good[:9]) + "\n" + string(good), string(good) + string(good)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		list := ParseHistory(text)
		if len(list) > strings.Count(string(text), "\n")+1 {
			t.Errorf("%d records of %q", len(list), text)
		}
		clean := "\n" + string(good) + "\n"
		more := ParseHistory([]byte(string(text) + clean))
		if len(more) != len(list)+1 || more[len(more)-1].Run != "r" {
			t.Errorf("a record after %q is not read", text)
		}
		for _, r := range list {
			if l := r.line("shop"); strings.Contains(l.Text, "\n") {
				t.Errorf("%q is more than one line", l.Text)
			}
		}
	})
}

// FuzzLabels: labels that somebody else put on a container never make a run panic, nor a release number negative.
func FuzzLabels(f *testing.F) {
	f.Add("1", "8081", `{"path":"/profile"}`, "10.0.0.1")
	f.Add("-1", "-1", "{", "")
	f.Add("99999999999999999999", "99999999999999999999", `{"interval":5}`, "a b")
	f.Add("0x10", "http", "null", "::1")
	f.Fuzz(func(t *testing.T, number, port, check, address string) {
		c := docker.Container{Labels: map[string]string{
			LabelService: "shop", LabelProfile: "real1", LabelRelease: number, LabelContainerPort: port, LabelPort: port, LabelHealth: check, LabelAddress: address,
		}}
		if n := release(&c); n < 0 {
			t.Errorf("release %d", n)
		}
		j := newJob(World{}, Request{Service: shop("v1")})
		_ = j.settingsFor(&c, 1)
		_ = settingsOf([]docker.Container{c})
	})
}
