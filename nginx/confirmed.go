package nginx

import (
	"encoding/json"
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

// ConfirmedServices are the services of which such a copy is there, sorted.
func ConfirmedServices(have map[string][]byte) (list []string) {
	for name := range have {
		service, ok := strings.CutPrefix(name, "sites/")
		if service, isCopy := strings.CutSuffix(service, "/confirmed.json"); ok && isCopy && ValidServiceName(service) == nil {
			list = append(list, service)
		}
	}
	slices.Sort(list)
	return list
}

// ConfirmedChange is what makes a service's site and include what they were when they were last confirmed. None: they are,
// or the copy cannot be read.
func ConfirmedChange(have map[string][]byte, service string) []File {
	var texts map[string]string
	if json.Unmarshal(have[ConfirmedPath(service)], &texts) != nil {
		return nil
	}
	var site, change []File
	for name, text := range texts {
		switch {
		case isSiteFile(name, service):
			site = append(site, File{Path: name, Text: text})
		case name == IncludePath(service) && text != string(have[name]):
			change = append(change, File{Path: name, Text: text})
		}
	}
	if len(site) == 0 {
		return nil
	}
	return append(change, SiteChange(have, service, site)...)
}
