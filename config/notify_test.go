package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLoad_Notifies(t *testing.T) {
	t.Setenv("DEPLOY_WEBHOOK", " https://hooks.example.com/a?b=c\n")
	hook := "https://hooks.example.com/a?b=c"
	all := []string{"swapped", "rolled_back", "failed", "paused", "interrupted"}
	for section, want := range map[string][]Notify{
		"watch: 5s":                   nil,
		"notify: ${DEPLOY_WEBHOOK}":   {{hook, FormatJSON, all}},
		"notify: http://127.0.0.1:9/": {{"http://127.0.0.1:9/", FormatJSON, all}},
		"notify:\n  - url: ${DEPLOY_WEBHOOK}\n    format: slack\n    on: [failed, done]\n  - https://x.example.com": {
			{hook, FormatSlack, []string{"failed", "done"}}, {"https://x.example.com", FormatJSON, all},
		},
		"notify: [{url: \"${DEPLOY_WEBHOOK}\", format: discord}]": {{hook, FormatDiscord, all}},
		"notify: []":   {},
		"notify: null": nil,
	} {
		s := load(t, Options{Dir: files(t, "compose.yaml", one(section))})
		equal(t, section, s.Notify, want)
		if len(s.Warnings) > 0 {
			t.Errorf("%s: %v", section, s.Warnings)
		}
	}
}

// TestLoad_AWebhookThatIsNotSetHereIsNoMistake: laptops lack the variable.
func TestLoad_AWebhookThatIsNotSetHereIsNoMistake(t *testing.T) {
	t.Setenv("DEPLOY_WEBHOOK", "")
	for _, section := range []string{
		"notify: ${DEPLOY_WEBHOOK}", "notify: ${NOWHERE_SET:-}", "notify:\n  - url: ${DEPLOY_WEBHOOK}\n    format: slack\n  - ${DEPLOY_WEBHOOK}",
	} {
		s := load(t, Options{Dir: files(t, "compose.yaml", one(section))})
		if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "nobody is notified") || slices.ContainsFunc(s.Notify, func(n Notify) bool { return n.URL != "" }) {
			t.Errorf("%s: %v, %v", section, s.Warnings, s.Notify)
		}
	}
}

func TestLoad_RefusesNotifications(t *testing.T) {
	const at = "compose.yaml:6: " + webSection + ".notify"
	for _, b := range []bad{
		{name: "another kind", section: "notify: 5", where: at, what: "must be a URL, a section, or a list"},
		{name: "a section", section: "notify: {url: x}", where: at + ".url", what: "is not a URL of a webhook"},
		{name: "no url", section: "notify: [{format: slack}]", where: at + "[0]", what: "needs a url"},
		{name: "another format", section: "notify: [{url: \"https://x\", format: slak}]", where: at + "[0].format", what: "did you mean slack?"},
		{name: "another outcome", section: "notify: [{url: \"https://x\", on: [unchanged]}]", where: at + "[0].on[0]", what: "is none of swapped"},
		{name: "no outcome", section: "notify: [{url: \"https://x\", on: []}]", where: at + "[0].on", what: "nothing would be told"},
		{name: "unknown key", section: "notify: [{uri: \"https://x\"}]", where: at + "[0].uri", what: "did you mean url?"},
	} {
		t.Run(b.name, b.run)
	}
}

// TestLoad_TheAddressOfAWebhookIsShownNowhere: not in an error, and not in what the host remembers.
func TestLoad_TheAddressOfAWebhookIsShownNowhere(t *testing.T) {
	const hush = "hush"
	for _, url := range []string{
		"ftp://x/" + hush, hush, "https:///" + hush, "https://x:99999999/" + hush + "%zz", "https://x/" + hush + "\\x7f", "url:https://x/" + hush, "//x/" + hush,
	} {
		for _, section := range []string{`notify: "%s"`, `notify: [{url: "%s"}]`, `notify: ["%s"]`} {
			_, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", one(fmt.Sprintf(section, url)))})
			var e *Error
			if !errors.As(err, &e) || strings.Contains(err.Error(), hush) || !strings.Contains(e.What, "is not a URL of a webhook") {
				t.Errorf("%s: %v", fmt.Sprintf(section, url), err)
			}
		}
	}
	for _, section := range []string{
		`notify: [{url: "https://x/hush/${A"}]`, `notify: [{format: "https://x/hush"}]`, `notify: [{on: "https://x/hush"}]`, `notify: [{"https://x/hush": json}]`,
		`notify: [{on: ["https://x/hush"]}]`, `notify: {url: ["https://x/hush"]}`, `hooks: {pre_deploy: "echo hush ${"}`,
	} {
		_, err := Load(t.Context(), Options{Dir: files(t, "compose.yaml", one(section))})
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), hush) {
			t.Errorf("%s: %v", section, err)
		}
	}
	s := load(t, Options{Dir: files(t, "compose.yaml", one("notify: https://x.example.com/"+hush))})
	if remembered, err := json.Marshal(s); err != nil || strings.Contains(string(remembered), hush) {
		t.Errorf("%s, %v", remembered, err)
	}
}
