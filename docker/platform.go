package docker

import (
	"strings"

	"github.com/containerd/platforms"
)

// Foreign says whether an image (os/arch[/variant], "" when that is not known) is made for another platform than the
// host's. Variants are left to the engine, and what is made for 386 runs on amd64.
func Foreign(image, host string) bool {
	i, err := platforms.Parse(image)
	h, herr := platforms.Parse(host)
	if image == "" || err != nil || herr != nil {
		return false
	}
	return i.OS != h.OS || i.Architecture != h.Architecture && !(i.Architecture == "386" && h.Architecture == "amd64")
}

// Fits says whether an image's platform is the one that compose's `platform` asks for; "" asks for none. Variants are left
// to the engine, and so is what only names an operating system.
func Fits(image, wanted string) bool {
	if os, _, more := strings.Cut(wanted, "/"); !more {
		return wanted == "" || image == "" || strings.HasPrefix(image, os+"/")
	}
	i, err := platforms.Parse(image)
	w, werr := platforms.Parse(wanted)
	return err != nil || werr != nil || i.OS == w.OS && i.Architecture == w.Architecture
}
