package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bluegreen/nginx"
)

// statusAsks is how often the status listener is asked: any worker may take each connection.
const statusAsks = 3

// agreement compares what is written, what is recorded and what the running workers serve.
func (d *doctor) agreement(ctx context.Context) (found []Check, err error) {
	if err := d.underWay(); err != nil {
		return nil, err
	}
	if d.noInclude != nil {
		return []Check{problem(d.noInclude.Error(), "Write it as it was: "+d.restoring())}, nil
	}
	for _, damage := range d.obs.Damage {
		if damage == siteMissing(d.service()) {
			continue // check include says more of it
		}
		found = append(found, warning("damaged: "+damage, "The next "+d.bluegreen("deploy")+" writes it anew."))
	}
	if i := d.obs.State.Intent; i != nil && i.Run != "" {
		what := fmt.Sprintf("run %s (%s) was interrupted in the middle of a swap", i.Run, i.Kind)
		return append(found, warning(what, "The next command settles it: "+d.bluegreen("deploy")+" or "+d.bluegreen("rollback")+".")), nil
	}
	if d.obs.Include == nil {
		return found, skip("the service is not live")
	}
	served, err := d.askWorkers(ctx)
	return append(found, d.compare(served)...), err
}

// compare is about a service that is live, with nothing left open. served is nil when nobody could be asked.
func (d *doctor) compare(served []nginx.Target) (found []Check) {
	live, c := *d.obs.Include, d.obs.State.Confirmed
	asRecorded := c == nil || c.Release == live.Release && c.Profile == live.Profile
	asWritten := true
	for _, s := range served {
		asWritten = asWritten && s == live
	}
	switch {
	case !asRecorded && len(served) > 0 && asWritten:
		return []Check{warning(fmt.Sprintf("nginx serves release %d in %s, and release %d in %s is what was confirmed last: somebody switched by hand",
			live.Release, live.Profile, c.Release, c.Profile), "The next "+d.bluegreen("deploy")+" records what is live.")}
	case !asRecorded:
		return []Check{problem(fmt.Sprintf("the include names release %d in %s, and release %d in %s is what was confirmed last: the next reload, of any service, switches to it, and a deploy would replace the one that serves",
			live.Release, live.Profile, c.Release, c.Profile), "Write the include as it was: "+d.restoring())}
	case !asWritten:
		return []Check{problem(fmt.Sprintf("nginx's workers answer as %s, and the include names %v: not all of them have read it", answers(served), live),
			d.reloading())}
	}
	return nil
}

// answers lists what workers answered, each once.
func answers(served []nginx.Target) string {
	var list []string
	for _, t := range served {
		text := t.String()
		if t.Profile == "" {
			text = "nothing of the service"
		}
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, "; ")
}

// askWorkers is what new connections to the status listener are answered. A worker that does not know the service has
// answered as well.
func (d *doctor) askWorkers(ctx context.Context) (list []nginx.Target, err error) {
	switch {
	case !d.obs.NginxRuns():
		return nil, skip("the workers were not asked: nginx does not run")
	}
	listener := d.listener(&d.obs)
	for range statusAsks {
		t, err := d.w.Ask(ctx, listener, d.service())
		switch {
		case errors.Is(err, nginx.ErrNoAnswer):
			return nil, skip("the workers were not asked: %v", err)
		case err != nil:
			t = nginx.Target{}
		}
		list = append(list, t)
	}
	return list, nil
}

// restoring is how the include of the confirmed release gets back into its place. Names have no characters that a shell
// would read.
func (d *doctor) restoring() string {
	c := d.obs.State.Confirmed
	if c == nil {
		return fmt.Sprintf("Put %s/%s right, then: %s", d.root(), nginx.IncludePath(d.service()), d.reloading())
	}
	text := nginx.Include(nginx.Target{Service: d.service(), Profile: c.Profile, Release: c.Release})
	text = strings.NewReplacer("$", `\$`, "\n", `\n`).Replace(text)
	return fmt.Sprintf(`docker exec %s sh -c 'printf "%s" >%s/%s && %s'`, d.names.nginx, text, d.root(), nginx.IncludePath(d.service()), d.reloadCommand())
}
