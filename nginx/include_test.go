package nginx

import (
	"testing"

	"pgregory.net/rapid"
)

func TestIncludeIsWhatTheDesignShows(t *testing.T) {
	want := "set $service_url http://shop-real2;\nset $bluegreen_profile real2;\nset $bluegreen_release 43;\n"
	if got := Include(Target{Service: "shop", Profile: "real2", Release: 43}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIncludeComesBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Target{
			Service: rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_.-]{0,20}`).Draw(t, "service"),
			Profile: rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{0,20}`).Draw(t, "profile"),
			Release: rapid.IntRange(0, 1<<40).Draw(t, "release"),
		}
		got, err := ParseInclude(want.Service, Include(want))
		if err != nil || got != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	})
}

func TestAnIncludeThatReadsIsTheOneThatWouldBeWritten(t *testing.T) {
	valid := Include(Target{Service: "shop", Profile: "real1", Release: 7})
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(valid)).Draw(t, "at")
		cut := rapid.IntRange(at, len(valid)).Draw(t, "cut")
		text := valid[:at] + rapid.StringMatching(`[ a-z0-9;\n$#-]{0,4}`).Draw(t, "put") + valid[cut:]
		if got, err := ParseInclude("shop", text); err == nil && Include(got) != text {
			t.Fatalf("%q was read as %v", text, got)
		}
	})
}

func TestParseIncludeRefusesWhatBluegreenDidNotWrite(t *testing.T) {
	valid := Include(Target{Service: "shop", Profile: "real1", Release: 7})
	for name, text := range map[string]string{
		"empty":            "",
		"comment":          "# hand-made\n" + valid,
		"added line":       valid + "set $x 1;\n",
		"no newline":       valid[:len(valid)-1],
		"another service":  Include(Target{Service: "blog", Profile: "real1", Release: 7}),
		"recipe's own":     "set $service_url http://127.0.0.1:8081;\n",
		"profiles differ":  "set $service_url http://shop-real2;\nset $bluegreen_profile real1;\nset $bluegreen_release 7;\n",
		"leading zero":     "set $service_url http://shop-real1;\nset $bluegreen_profile real1;\nset $bluegreen_release 07;\n",
		"endless release":  "set $service_url http://shop-real1;\nset $bluegreen_profile real1;\nset $bluegreen_release 99999999999999999999;\n",
		"bending profile":  "set $service_url http://shop-a$b;\nset $bluegreen_profile a$b;\nset $bluegreen_release 7;\n",
		"carriage returns": "set $service_url http://shop-real1;\r\nset $bluegreen_profile real1;\r\nset $bluegreen_release 7;\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseInclude("shop", text); err == nil {
				t.Errorf("read as %v", got)
			}
		})
	}
}
