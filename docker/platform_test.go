package docker

import "testing"

func TestPlatformsAreComparedWithoutTheirVariants(t *testing.T) {
	for _, c := range []struct {
		image, host string
		foreign     bool
	}{
		{"linux/amd64", "linux/amd64", false},
		{"linux/arm64", "linux/amd64", true},
		{"linux/arm/v7", "linux/arm", false},
		{"linux/arm64/v8", "linux/arm64", false},
		{"linux/386", "linux/amd64", false},
		{"linux/amd64", "linux/386", true},
		{"windows/amd64", "linux/amd64", true},
		{"", "linux/amd64", false},
	} {
		if got := Foreign(c.image, c.host); got != c.foreign {
			t.Errorf("Foreign(%q, %q) = %t", c.image, c.host, got)
		}
	}
	for _, c := range []struct {
		image, wanted string
		fits          bool
	}{
		{"linux/amd64", "", true},
		{"linux/amd64", "linux", true},
		{"linux/amd64", "windows", false},
		{"linux/amd64", "linux/x86_64", true},
		{"linux/arm64", "linux/arm64/v8", true},
		{"linux/arm64", "linux/amd64", false},
		{"", "linux/amd64", true},
	} {
		if got := Fits(c.image, c.wanted); got != c.fits {
			t.Errorf("Fits(%q, %q) = %t", c.image, c.wanted, got)
		}
	}
}
