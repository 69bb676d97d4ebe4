package nginx

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// partsOf is the mask that finds every service's part of a name's server.
func partsOf(name string) string { return "sites/*/" + partFile(name) }

// partFile is the name of the files in which services say what they take of a server name's requests. Other characters
// than those of a plain host name, such as the star of a wildcard, would mean something in a mask.
func partFile(name string) string {
	if name == "" {
		return "any" + partExt
	}
	var b strings.Builder
	for _, c := range []byte(strings.ToLower(name)) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "_%02x", c)
	}
	return "at-" + b.String() + partExt
}

const partExt = ".loc"

// PartPath is a service's part of the server of one of its names ("": of every host that no other service serves),
// relative to Root.
func PartPath(service, name string) string { return ServiceDir(service) + "/" + partFile(name) }

// ProxyPath is how a service's requests are passed on, relative to Root.
func ProxyPath(service string) string { return ServiceDir(service) + "/proxy.inc" }

// GRPCPath is how those of its requests are passed on that are gRPC, where that is not all, relative to Root.
func GRPCPath(service string) string { return ServiceDir(service) + "/grpc.inc" }

// SiteFiles are those files of a service among the files below Root that a Site is made of, sorted by path.
func SiteFiles(have map[string][]byte, service string) (files []File) {
	for name, text := range have {
		if isSiteFile(name, service) {
			files = append(files, File{Path: name, Text: string(text)})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files
}

func isSiteFile(name, service string) bool {
	part, _ := path.Match(ServiceDir(service)+"/*"+partExt, name)
	return part || name == SitePath(service) || name == ProxyPath(service) || name == GRPCPath(service)
}

// SiteChange is what leads from the files that are there to a service's site: those that differ, and the removal of those
// that are no longer part of it. None: the site is as it should be.
func SiteChange(have map[string][]byte, service string, site []File) (change []File) {
	wanted := map[string]bool{}
	for _, f := range site {
		wanted[f.Path] = true
		if text, ok := have[f.Path]; !ok || string(text) != f.Text {
			change = append(change, f)
		}
	}
	for _, f := range SiteFiles(have, service) {
		if !wanted[f.Path] {
			change = append(change, File{Path: f.Path, Remove: true})
		}
	}
	return change
}

// Claim is a server name ("": every host that no other service serves) with a path prefix ("/": all of it) that a site takes.
type Claim struct{ Name, Path string }

// Claims reads back what the site of a service takes. One that an older bluegreen wrote takes its names whole.
func Claims(have map[string][]byte, service string) (list []Claim) {
	names := SiteNames(string(have[SitePath(service)]))
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		paths := partPaths(string(have[PartPath(service, name)]))
		if len(paths) == 0 {
			paths = []string{"/"}
		}
		for _, p := range paths {
			list = append(list, Claim{Name: name, Path: p})
		}
	}
	return list
}

// partPaths reads the paths of a part back; none: it takes all.
func partPaths(part string) (paths []string) {
	for line := range strings.Lines(part) {
		if p, ok := strings.CutPrefix(line, `location = "`); ok {
			p, _, _ = strings.Cut(p, `"`)
			paths = append(paths, p)
		}
	}
	return paths
}

// Shares says whether the site of a service lets others have paths of its names: one that an older bluegreen wrote does not.
func Shares(have map[string][]byte, service string) bool {
	_, ok := have[ProxyPath(service)]
	return ok
}
