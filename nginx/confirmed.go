package nginx

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ConfirmedCopy is the file that keeps a service's site and include as they were confirmed, for when somebody damages
// them; without files, its removal.
func ConfirmedCopy(service string, files []File) File {
	if len(files) == 0 {
		return File{Path: ConfirmedPath(service), Remove: true}
	}
	texts := map[string]string{}
	for _, f := range files {
		texts[f.Path] = f.Text
	}
	b, _ := json.Marshal(texts) // plain data: cannot fail
	return File{Path: ConfirmedPath(service), Text: string(b) + "\n"}
}

// Fits says whether a site can be written, and kept as a copy: there is a limit to what one file may hold. The error says how
// much is too much.
func Fits(service string, site []File) error {
	for _, f := range append(slices.Clone(site), ConfirmedCopy(service, site)) {
		if n := len(f.Text); n > maxText-spare {
			return fmt.Errorf("its part of nginx's configuration would have %d KiB, and %d fit", n>>10, (maxText-spare)>>10)
		}
	}
	return nil
}

// spare is more than what the include adds to the copy, and real addresses to the site.
const spare = 2 << 10

// confirmedTexts reads a copy back: texts by path. What cannot be read is none.
func confirmedTexts(have map[string][]byte, service string) map[string]string {
	var texts map[string]string
	if json.Unmarshal(have[ConfirmedPath(service)], &texts) != nil {
		return nil
	}
	return texts
}

// leads says whether an include is one of the service's own, and leads to a group of its site. Others nginx takes as well: it
// does not look through the variable.
func leads(service, include, site string) bool {
	t, err := ParseInclude(service, include)
	return err == nil && HasGroup(site, Group(service, t.Profile))
}

// ConfirmedChange is what makes a service's site what it was when it was last confirmed, and its include where that leads to
// none of its profiles: one that does may name a later release. None: they are, or there is no copy that can be read.
func ConfirmedChange(have map[string][]byte, service string) []File {
	var site, change []File
	texts := confirmedTexts(have, service)
	for name, text := range texts {
		if isSiteFile(name, service) {
			site = append(site, File{Path: name, Text: text})
		}
		if name == IncludePath(service) && !leads(service, string(have[name]), texts[SitePath(service)]) {
			change = append(change, File{Path: name, Text: text})
		}
	}
	if len(site) == 0 {
		return nil
	}
	slices.SortFunc(site, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return append(change, SiteChange(have, service, site)...)
}

// Copied are the services of which there is a copy, sorted.
func Copied(have map[string][]byte) []string {
	return slices.DeleteFunc(siteServices(have), func(s string) bool { return have[ConfirmedPath(s)] == nil })
}

// Lost are the services of whose site, as it was confirmed, a file is gone or empty, or whose include leads to none of their
// profiles: nginx takes it as if it were meant so. Sorted.
func Lost(have map[string][]byte) []string {
	return slices.DeleteFunc(Copied(have), func(service string) bool {
		texts := confirmedTexts(have, service)
		for name := range texts {
			if isSiteFile(name, service) && len(have[name]) == 0 {
				return false
			}
		}
		return texts[SitePath(service)] == "" || leads(service, string(have[IncludePath(service)]), texts[SitePath(service)])
	})
}

// siteServices are the services that have a site, whatever somebody made of it, or a copy of one, sorted.
func siteServices(have map[string][]byte) (list []string) {
	for name, text := range have {
		rest, _ := strings.CutPrefix(name, "sites/")
		service, copied := strings.CutSuffix(rest, "/confirmed.json")
		site := false
		if !copied {
			service, site = strings.CutSuffix(rest, ".conf")
			site = site && (OwnSite(string(text)) || have[StatePath(service)] != nil)
		}
		if (site || copied) && rest != name && ValidServiceName(service) == nil {
			list = append(list, service)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// OwnSites are the services whose site bluegreen wrote, sorted: there may be others in the folder, which are a person's.
func OwnSites(have map[string][]byte) []string {
	return slices.DeleteFunc(siteServices(have), func(s string) bool { return !OwnSite(string(have[SitePath(s)])) })
}

// namedFile is where nginx says that a fault is, "… in sites/shop.conf:12"; the candidate's folder is cut off.
var namedFile = regexp.MustCompile(` in (nginx\.conf|sites/[^\s"]+):\d+`)

// Blamed is what nginx's refusal is about: the file below Root that it names, and the service to which that belongs, "" when
// to none.
func (e *TestError) Blamed(have map[string][]byte) (file, service string) {
	m := namedFile.FindAllStringSubmatch(e.Output, -1)
	if m == nil {
		return "", ""
	}
	file = m[len(m)-1][1]
	for _, s := range siteServices(have) {
		if file == SitePath(s) || strings.HasPrefix(file, ServiceDir(s)+"/") {
			return file, s
		}
	}
	return file, ""
}
