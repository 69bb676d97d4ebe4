package nginx

import "path"

// Paths inside the configuration's folder.
const (
	// Root is where the volume is mounted in the nginx container.
	Root = "/etc/nginx/bluegreen"
	// MainPath is nginx.conf, relative to Root.
	MainPath = "nginx.conf"
	// HostPath is what the nginx container was made with, relative to Root; nginx does not read it.
	HostPath = "host.json"
)

// SitePath is a service's site file, relative to Root.
func SitePath(service string) string { return "sites/" + service + ".conf" }

// IncludePath is the file that names a service's live profile, relative to Root.
func IncludePath(service string) string { return "sites/" + service + "/service-url.inc" }

// StatePath is a service's state, relative to Root.
func StatePath(service string) string { return "sites/" + service + "/state.json" }

// ConfirmedPath is a copy of a service's site and include as they were last confirmed, relative to Root.
func ConfirmedPath(service string) string { return ServiceDir(service) + "/confirmed.json" }

// HistoryPath is a service's history, one JSON object a line, relative to Root.
func HistoryPath(service string) string { return "sites/" + service + "/history.jsonl" }

// HistoryOf is the service whose history has that name, relative to Root.
func HistoryOf(name string) (service string, ok bool) {
	service = path.Base(path.Dir(name))
	return service, name == HistoryPath(service)
}

// RevokedPath lists the runs of a service whose lock was broken, relative to Root.
func RevokedPath(service string) string { return "sites/" + service + "/revoked" }

// ServiceDir holds a service's include, state and history, relative to Root.
func ServiceDir(service string) string { return "sites/" + service }
