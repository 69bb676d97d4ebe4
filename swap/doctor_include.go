package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bluegreen/config"
	"bluegreen/nginx"
)

// keepalive finds an nginx that resets busy connections at a reload.
func (d *doctor) keepalive(context.Context) (found []Check, err error) {
	var refused *nginx.TestError
	switch {
	case d.version != "" && !nginx.SupportsKeepaliveMinTimeout(d.version):
		return []Check{problem(fmt.Sprintf("nginx %s is older than 1.27.4: each reload resets busy keep-alive connections", d.version),
			d.newer())}, nil
	case errors.As(d.noDump, &refused) && d.awaitsInclude(refused):
		return nil, skip("nginx's configuration names %s/%s, which the first deploy writes: until then nginx refuses it, and would not start again", d.root(), nginx.IncludePath(d.service()))
	case errors.As(d.noDump, &refused):
		return []Check{problem("nginx refuses its own configuration, and would every change of it: "+refused.Output,
			"Mend the file that it names in container "+d.names.nginx+".")}, nil
	case d.noDump != nil:
		return nil, d.noDump
	}
	wanted := fmt.Sprintf("keepalive_min_timeout %ds;", int(nginx.KeepaliveMinTimeout.Seconds()))
	set, zero := d.dump.KeepaliveMinTimeout()
	for _, z := range zero {
		found = append(found, problem(fmt.Sprintf("keepalive_min_timeout is zero (%s): each reload resets busy keep-alive connections", z.Where()),
			fmt.Sprintf("Write `%s` there, in container %s, then: %s", wanted, d.names.nginx, d.reloading())))
	}
	if !set {
		found = append(found, problem("nginx's configuration does not set keepalive_min_timeout: each reload resets busy keep-alive connections",
			fmt.Sprintf("Add `%s` to the http block of %s, in container %s, then: %s", wanted, d.conf(), d.names.nginx, d.reloading())))
	}
	return found, nil
}

// awaitsInclude says whether all that an adopted nginx refuses is the include that the first deploy is to write.
func (d *doctor) awaitsInclude(refused *nginx.TestError) bool {
	include := nginx.IncludePath(d.service())
	_, there := d.obs.Files[include]
	return d.adopted() && !there && d.obs.State.Confirmed == nil && strings.Contains(refused.Output, `open() "`+d.root()+"/"+include+`" failed`)
}

// newer is how nginx becomes one that has keepalive_min_timeout.
func (d *doctor) newer() string {
	if d.adopted() {
		return "Use nginx 1.27.4 or later in your container, with keepalive_min_timeout in its http block. " + d.anew()
	}
	return "Set x-bluegreen.nginx.image to a newer one (" + config.DefaultImage + "). " + d.anew()
}

// include finds a service that nginx's configuration leaves out.
func (d *doctor) include(context.Context) (found []Check, err error) {
	site, include := nginx.SitePath(d.service()), nginx.IncludePath(d.service())
	onVolume := len(d.obs.Files[site]) > 0
	switch {
	case !onVolume && d.obs.State.Confirmed != nil:
		return []Check{problem(fmt.Sprintf("release %d in %s was confirmed, and its site %s/%s is missing: the next reload takes the service away",
			d.obs.State.Confirmed.Release, d.obs.State.Confirmed.Profile, d.root(), site), d.bluegreen("deploy")+" writes it anew.")}, nil
	case !onVolume:
		return nil, skip("the service is not live")
	case d.noDump != nil:
		return nil, skip("nginx's configuration cannot be read")
	}
	for _, file := range slices.Concat([]string{site}, d.siteFiles(), []string{include}) {
		if full := d.root() + "/" + file; !d.dump.Reads(full) {
			found = append(found, problem(fmt.Sprintf("nginx does not read %s: a swap would change nothing, or the next reload takes the service away", full), d.readAgain(file)))
			break // what it leads to is not read either, or only by chance
		}
	}
	return append(found, d.absolute()...), nil
}

// siteFiles are the files of the site beside the one of its name: none of an older bluegreen's.
func (d *doctor) siteFiles() []string {
	if d.adopted() {
		return nil // its servers are its owner's
	}
	if !nginx.Shares(d.obs.Files, d.service()) {
		return nil
	}
	return nginx.PartFiles(d.obs.Files, d.service())
}

// sites is what includes the sites, relative to the main file's folder.
const sites = "sites/*.conf"

func (d *doctor) readAgain(file string) string {
	include := sites
	if d.dump.Conf != managed {
		include = d.root() + "/" + sites
	}
	if file == nginx.SitePath(d.service()) {
		return fmt.Sprintf("Put `include %s;` into the http block of %s, in container %s, then: %s", include, d.conf(), d.names.nginx, d.reloading())
	}
	if d.adopted() {
		return fmt.Sprintf("Put `include %s/%s;` into the server block of the service in %s, in container %s, then: %s", d.root(), file, d.conf(), d.names.nginx, d.reloading())
	}
	return "The site's files were changed by hand: " + d.bluegreen("deploy") + " writes it anew."
}

// managed is the main file of an nginx that bluegreen made.
const managed = nginx.Root + "/" + nginx.MainPath

// absolute finds an include that leads out of a copy of the folder, in which each change is tested.
func (d *doctor) absolute() (found []Check) {
	for _, x := range d.dump.Directives {
		if d.dump.Conf == managed && x.Name == "include" && len(x.Args) == 1 && strings.HasPrefix(x.Args[0], nginx.Root+"/") {
			relative := strings.TrimPrefix(x.Args[0], nginx.Root+"/")
			found = append(found, problem(fmt.Sprintf("%s includes %s by its full path: nginx would test the next change with files as they are now, and refuse it", x.Where(), x.Args[0]),
				fmt.Sprintf("Write `include %s;` there, in container %s, then: %s", relative, d.names.nginx, d.reloading())))
		}
	}
	return found
}
