package swap

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"bluegreen/nginx"
)

var (
	upstreamServer = regexp.MustCompile(`upstream "([^"]+)" \{\n    server "([^"]+)"`)
	serverNames    = regexp.MustCompile(`    listen 80;\n(?:    (?:listen|ssl_|resolver)[^\n]*\n)*    server_name ([^;]+);`)
	includedPart   = regexp.MustCompile(`(?m)^include "([^"]+)";`)
	locationPath   = regexp.MustCompile(`(?m)^location (?:= )?"?(/[^" ]*?)"? \{`)
)

// parse is what nginx makes of the files, or why it refuses them.
func parse(files map[string]string) (map[string]route, error) {
	p := parser{files: files, routes: map[string]route{}, taken: map[nginx.Claim]bool{}}
	if files[nginx.MainPath] == "" {
		return nil, errors.New("open() nginx.conf failed")
	}
	sites := slices.DeleteFunc(slices.Sorted(maps.Keys(files)), func(name string) bool {
		site, _ := path.Match("sites/*.conf", name)
		return !site
	})
	names := map[string]bool{"": nginx.HasLayout(files[nginx.MainPath])}
	for _, site := range sites {
		if err := p.site(site, names); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if err := p.server(name, names[name]); err != nil {
			return nil, err
		}
	}
	return p.routes, nil
}

type parser struct {
	files  map[string]string
	routes map[string]route
	taken  map[nginx.Claim]bool
}

// read reads a file that another one includes.
func (p parser) read(file, from string) (string, error) {
	text, ok := p.files[file]
	if !ok {
		return "", fmt.Errorf("open() %q failed (2: No such file or directory) in %s:1", file, from)
	}
	if strings.Contains(text, "broken") {
		return "", fmt.Errorf("unknown directive \"broken\" in %s:1", file)
	}
	return text, nil
}

// site reads the upstream groups and the names of one site's servers.
func (p parser) site(file string, names map[string]bool) error {
	text, err := p.read(file, nginx.MainPath)
	service := strings.TrimSuffix(path.Base(file), ".conf")
	if err != nil || text == "" {
		return err
	}
	include, err := p.read(nginx.IncludePath(service), file)
	if err != nil {
		return err
	}
	target, err := nginx.ParseInclude(service, include)
	if err != nil {
		return fmt.Errorf("%v in %s:1", err, nginx.IncludePath(service))
	}
	r := route{target: target}
	for _, m := range upstreamServer.FindAllStringSubmatch(text, -1) {
		if m[1] == nginx.Group(service, target.Profile) {
			r.address = m[2]
		} else {
			r.idle = m[2]
		}
	}
	var own []string
	for _, m := range serverNames.FindAllStringSubmatch(text, -1) {
		own = append(own, strings.Fields(strings.ReplaceAll(m[1], `"`, ""))...)
	}
	if strings.Contains(text, "    set $bluegreen_service ") { // an older bluegreen's: the server is all there is of the name
		if len(own) == 0 {
			own = []string{""}
		}
		for _, name := range own {
			r.takes = append(r.takes, nginx.Claim{Name: name, Path: "/"})
		}
		own = nil
	}
	for _, name := range own {
		names[name] = true
	}
	if name := lacking(p.files, service); name != "" {
		return fmt.Errorf("open() %q failed (2: No such file or directory) in %s:1", name, file)
	}
	for _, name := range namedFile.FindAllString(p.files[nginx.SitePath(service)]+p.files[nginx.LocationsPath(service)]+p.files[nginx.PartPath(service, "")], -1) {
		if _, err := p.read(name, file); err != nil {
			return err
		}
	}
	r.certificate = certificateOf(p.files, service)
	r.closed = strings.Contains(p.files[nginx.ProxyPath(service)], "\nreturn 503")
	p.routes[service] = r
	return nil
}

// server reads the parts of one name's server.
func (p parser) server(name string, there bool) error {
	mask := "sites/*/" + path.Base(nginx.PartPath("x", name))
	for _, part := range slices.Sorted(maps.Keys(p.files)) {
		if ok, _ := path.Match(mask, part); !ok || !there {
			continue
		}
		service := path.Base(path.Dir(part))
		leads := includedPart.FindStringSubmatch(p.files[part])
		if leads == nil {
			return fmt.Errorf("%s includes nothing", part)
		}
		locations, err := p.read(leads[1], part)
		if err != nil {
			return err
		}
		preview, how := leads[1] != nginx.LocationsPath(service), nginx.ProxyPath(service)
		if preview {
			how = nginx.PreviewPath(service)
		}
		proxy, err := p.read(how, leads[1])
		if err != nil {
			return err
		}
		if _, err := p.read(nginx.IncludePath(service), how); err != nil {
			return err
		}
		if strings.Contains(proxy, "$bluegreen_answered") && !strings.Contains(p.files[nginx.MainPath], "$bluegreen_answered {") {
			return errors.New(`unknown "bluegreen_answered" variable`)
		}
		if err := p.locations(service, nginx.Claim{Name: name, Preview: preview}, locations); err != nil {
			return err
		}
	}
	return nil
}

func (p parser) locations(service string, c nginx.Claim, text string) error {
	r := p.routes[service]
	var paths []string
	for _, m := range locationPath.FindAllStringSubmatch(text, -1) {
		paths = append(paths, m[1])
	}
	for _, to := range paths {
		if c.Path = to; p.taken[c] {
			return fmt.Errorf("duplicate location %q in %s:1", to, nginx.LocationsPath(service))
		}
		p.taken[c] = true
		r.takes = append(r.takes, c)
	}
	p.routes[service] = r
	return nil
}
