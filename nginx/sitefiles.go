package nginx

import (
	"crypto/sha256"
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
	name = strings.ToLower(name)
	var b strings.Builder
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "_%02x", c)
	}
	if b.Len() > longestPart {
		return fmt.Sprintf("at-%s_%x%s", b.String()[:longestPart-65], sha256.Sum256([]byte(name)), partExt)
	}
	return "at-" + b.String() + partExt
}

const partExt = ".loc"

// longestPart is how much of a server name stands in a file's name, which file systems limit to 255 bytes, those of a
// temporary file beside it included.
const longestPart = 160

// PartPath is a service's part of the server of one of its names ("": of every host that no other service serves),
// relative to Root.
func PartPath(service, name string) string { return ServiceDir(service) + "/" + partFile(name) }

// ProxyPath is how a service's requests are passed on, relative to Root.
func ProxyPath(service string) string { return ServiceDir(service) + "/proxy.inc" }

// LocationsPath says which requests a service takes of those to its names, relative to Root.
func LocationsPath(service string) string { return ServiceDir(service) + "/paths.inc" }

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
	return part || name == SitePath(service) || name == ProxyPath(service) || name == LocationsPath(service) || name == GRPCPath(service) || isPreviewFile(name, service)
}

// SiteChange is what leads from the files that are there to a service's site: those that differ, and the removal of those
// that are no longer part of it. None: the site is as it should be.
//
// Killed half-way, the parts come first where there is a site: its names are served at every moment. Where there is none
// they come last: nothing leads to a service that nginx does not know.
func SiteChange(have map[string][]byte, service string, site []File) (change []File) {
	wanted, last := map[string]bool{}, []File(nil)
	for _, f := range site {
		wanted[f.Path] = true
		text, ok := have[f.Path]
		switch {
		case ok && string(text) == f.Text:
		case f.Path == SitePath(service) && len(text) > 0:
			last = append(last, f)
		default:
			change = append(change, f)
		}
	}
	change = append(change, last...)
	for _, f := range SiteFiles(have, service) {
		if !wanted[f.Path] {
			change = append(change, File{Path: f.Path, Remove: true})
		}
	}
	return change
}

// Claim is a server name ("": every host that no other service serves) with a path prefix ("/": all of it) that a site takes.
type Claim struct {
	Name, Path string
	Preview    bool // the idle profile is shown there
}

// Claims reads back what the site of a service takes. One that an older bluegreen wrote takes its names whole.
func Claims(have map[string][]byte, service string) (list []Claim) {
	names := SiteNames(string(have[SitePath(service)]))
	if len(names) == 0 {
		names = []string{""}
	}
	paths := pathsOf(string(have[LocationsPath(service)]))
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	for _, name := range names {
		for _, p := range paths {
			list = append(list, Claim{Name: name, Path: p})
		}
	}
	for _, name := range PreviewNames(string(have[SitePath(service)])) {
		for _, p := range paths {
			list = append(list, Claim{Name: name, Path: p, Preview: true})
		}
	}
	return list
}

// pathsOf reads the paths of a service back, "/" for all that no other one has; none: the file is not there. The pages beside
// them are nobody's to take (pageURI).
func pathsOf(locations string) (paths []string) {
	for line := range strings.Lines(locations) {
		if line == everyLocation {
			paths = append(paths, "/")
		}
		if p, ok := strings.CutPrefix(line, `location = "`); ok && !strings.HasPrefix(p, pagesAt) {
			p, _, _ = strings.Cut(p, `"`)
			paths = append(paths, p)
		}
	}
	return paths
}

// Shares says whether the site of a service lets others have paths of its names: one that an older bluegreen wrote does not.
func Shares(have map[string][]byte, service string) bool {
	return !strings.Contains(string(have[SitePath(service)]), "\n    set $bluegreen_service ")
}

// PartFiles are the files that a site needs beside sites/<service>.conf and the include, whether they are there or not, in the
// order in which nginx reads them.
func PartFiles(have map[string][]byte, service string) (files []string) {
	names := SiteNames(string(have[SitePath(service)]))
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		files = append(files, PartPath(service, name))
	}
	return slices.Concat(files, []string{LocationsPath(service), ProxyPath(service)}, previewParts(have, service))
}

// Whole says whether all files of a service's site are there, and lead to a profile where it is reached: a kill between two
// renames, or a person, may have left it otherwise.
func Whole(have map[string][]byte, service string, at Upstream) bool {
	site := string(have[SitePath(service)])
	if !strings.Contains(site, "\n"+groupLine(Group(service, at.Profile))+"\n"+serverLine(at)) {
		return false
	}
	missing := func(file string) bool { return len(have[file]) == 0 }
	return !Shares(have, service) || !slices.ContainsFunc(PartFiles(have, service), missing)
}
