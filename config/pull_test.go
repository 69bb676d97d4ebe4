package config

import (
	"strings"
	"testing"
	"time"
)

// pulling is a file with these keys of the service, the first in line 5.
func pulling(keys string) string {
	return "name: shop\nservices:\n  web:\n    image: shop:1\n" + keys + "    x-bluegreen: {}\n"
}

func TestPullPolicyIsComposesAndTheFlagOverridesIt(t *testing.T) {
	for _, c := range []struct {
		keys, flag string
		want       Pull
	}{
		{"", "", Pull{When: PullMissing}},
		{"    pull_policy: missing\n", "", Pull{When: PullMissing}},
		{"    pull_policy: if_not_present\n", "", Pull{When: PullMissing}},
		{"    pull_policy: always\n", "", Pull{When: PullAlways}},
		{"    pull_policy: never\n", "", Pull{When: PullNever}},
		{"    pull_policy: build\n", "", Pull{When: PullBuild}},
		{"    pull_policy: daily\n", "", Pull{When: PullRefresh, After: 24 * time.Hour}},
		{"    pull_policy: weekly\n", "", Pull{When: PullRefresh, After: 7 * 24 * time.Hour}},
		{"    pull_policy: every_1d12h\n", "", Pull{When: PullRefresh, After: 36 * time.Hour}},
		{"    pull_policy: refresh\n    pull_refresh_after: 90m\n", "", Pull{When: PullRefresh, After: 90 * time.Minute}},
		{"    pull_policy: never\n", "always", Pull{When: PullAlways}},
		{"    pull_policy: refresh\n    pull_refresh_after: 90m\n", "missing", Pull{When: PullMissing}},
	} {
		s, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", pulling(c.keys)), Pull: c.flag})
		if err != nil {
			t.Errorf("%q: %v", c.keys, err)
			continue
		}
		if got, err := PullPolicy(s.Compose); err != nil || got != c.want {
			t.Errorf("%q with --pull %q: %+v, %v", c.keys, c.flag, got, err)
		}
	}
}

func TestPullPolicyThatCannotBeHonouredIsRefused(t *testing.T) {
	for _, b := range []bad{
		{name: "refresh without a time", text: pulling("    pull_policy: refresh\n"),
			where: "compose.yaml:5: services.web.pull_policy", what: "after what time", do: "pull_refresh_after"},
		{name: "a time without refresh", text: pulling("    pull_policy: always\n    pull_refresh_after: 24h\n"),
			where: "compose.yaml:6: services.web.pull_refresh_after", what: "refresh` only"},
		{name: "a time alone", text: pulling("    pull_refresh_after: 24h\n"),
			where: "compose.yaml:5: services.web.pull_refresh_after", what: "refresh` only"},
		{name: "a time that is none", text: pulling("    pull_policy: refresh\n    pull_refresh_after: soon\n"),
			where: "compose.yaml:6: services.web.pull_refresh_after", what: `"soon" is not a duration`},
		{name: "too long", text: pulling("    pull_policy: every_99999w\n"),
			where: "compose.yaml:5: services.web.pull_policy", what: `"every_99999w" is no pull policy`},
		{name: "a policy of nobody's", text: pulling("    pull_policy: sometimes\n"), where: "compose.yaml", what: "services.web.pull_policy"},
		{name: "a flag of nobody's", text: minimal, o: Options{Pull: "daily"}, where: "--pull daily", what: "no such policy", do: "always, missing, never"},
	} {
		t.Run(b.name, b.run)
	}
}

func TestPullPolicyIsNoBusinessOfWhatCreatesNothing(t *testing.T) {
	dir := files(t, "compose.yaml", pulling("    pull_policy: refresh\n"))
	if _, err := Load(t.Context(), Options{Dir: dir, NoDeploy: true}); err != nil {
		t.Error(err)
	}
	s, _ := Load(t.Context(), Options{Dir: dir, NoDeploy: true})
	if _, err := PullPolicy(s.Compose); err == nil || !strings.Contains(err.Error(), "after what time") {
		t.Errorf("got %v", err)
	}
}
