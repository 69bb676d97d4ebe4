package config

import "testing"

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"helth", "health", 1}, {"wathc", "watch", 1}, {"kitten", "sitting", 3},
	} {
		equal(t, c.a+" "+c.b, edits(c.a, c.b), c.want)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"health", "watch", "https"}
	for name, want := range map[string]string{"helth": "health", "banana": "", "": "", "watches": "", "watchs": "watch"} {
		equal(t, name, nearest(name, known), want)
	}
}
