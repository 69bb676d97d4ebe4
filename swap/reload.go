package swap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/health"
	"bluegreen/nginx"
)

// NotLiveError: there is no site to change.
type NotLiveError struct{ Service string }

func (e *NotLiveError) Error() string {
	return fmt.Sprintf("%s is not live: run `bluegreen deploy %s` first", e.Service, e.Service)
}

// planReload brings the site as the compose file has it, its files included, into nginx. Without a compose file it makes
// nginx read anew what is there.
func planReload(o Observation, w Wanted) (Plan, error) {
	name := w.Service.Settings.Service
	if o.Include == nil {
		return Plan{}, &NotLiveError{Service: name}
	}
	p := Plan{Command: Reload, Release: o.Include.Release, Notes: w.Service.Warnings}
	if w.FromFile {
		p.noteSite(o, w)
	}
	p.hostUp(o)
	switch {
	case w.FromFile && siteDiffers(o, w):
		p.add(Step{Kind: StepSite, Profile: o.Include.Profile, Text: "send what changed of the site to nginx, and reload", Undo: "put the old site file back"})
	case !w.FromFile || w.Force || len(p.Steps) > 0:
		p.add(Step{Kind: StepReload, Profile: o.Include.Profile, Text: "test what nginx has, reload it and confirm that"})
	default:
		p.Why = "nginx has this site, its certificate and its files already (--force reloads all the same)"
	}
	return p, nil
}

// siteDiffers says whether the host's site is not the wanted one, or lacks files.
func siteDiffers(o Observation, w Wanted) bool {
	return w.Send || len(nginx.SiteChange(o.Files, w.Service.Settings.Service, w.Site)) > 0
}

// noteSite says what of the site changes.
func (p *Plan) noteSite(o Observation, w Wanted) {
	if o.State.Settings == nil || !siteDiffers(o, w) {
		return
	}
	if changes := o.State.Settings.SiteChanges(w.Service.Settings); len(changes) > 0 {
		p.Notes = append(p.Notes, "the site in nginx changes: "+strings.Join(changes, ", "))
	}
}

// reloadAsIs tests, reloads and confirms what is there.
func (j *job) reloadAsIs(ctx context.Context, _ Step) error {
	return j.underHostLock(ctx, func(ctx context.Context) error {
		err := j.reload(ctx, nginx.Change{Test: true, Reload: true}, j.obs.Include)
		j.switched = switchNone // no file was changed
		if err == nil {
			j.checkShown(ctx)
		}
		return err
	})
}

// checkShown makes sure that new connections are shown the certificate of this site, as far as that can be asked from here.
// The files are in place and the workers are new: what is found is said, and nothing is undone for it.
func (j *job) checkShown(ctx context.Context) {
	t := j.Service.Settings.Web.TLS
	if t == nil || j.obs.Host.HTTPS == 0 || ctx.Err() != nil {
		return
	}
	want, err := j.certificate()
	if err != nil {
		return
	}
	name := PublicName(j.Service.Settings.ServerNames)
	var dial health.Dial
	if j.byContainer() {
		dial = j.dialFromNginx
	}
	got, err := j.w.Leaf(ctx, dial, j.httpsAt(), name)
	switch {
	case err != nil:
		j.note("warning: the certificate that nginx shows could not be looked at: " + err.Error())
	case !bytes.Equal(got, want.Leaf()):
		j.note(fmt.Sprintf("warning: nginx shows another certificate for %s (%s) than this site's (%s)%s", name, fingerprint(got), fingerprint(want.Leaf()), j.whose(name)))
	default:
		j.note(fmt.Sprintf("new connections are shown the certificate for %s that expires on %s", name, want.NotAfter.UTC().Format(time.DateOnly)))
	}
}

// whose says whose certificate a name is shown instead of this site's.
func (j *job) whose(name string) string {
	other, _ := otherCertificate(j.obs.Files, j.service(), j.Service.Settings.Web.TLS.Certificate.Name, []string{name})
	if other == "" {
		return ""
	}
	return fmt.Sprintf(": that of service %s. `bluegreen reload %s` where its files are brings a renewed one", other, other)
}

// errNoCertificate: the service has none, or the host lacks its file.
var errNoCertificate = errors.New("no certificate")

// certificate is the one that the host has for the service.
func (j *job) certificate() (config.Certificate, error) {
	t := j.Service.Settings.Web.TLS
	if t == nil {
		return config.Certificate{}, errNoCertificate
	}
	text := j.obs.Files[nginx.FilePath(j.service(), t.Certificate.Name)]
	if len(text) == 0 {
		return config.Certificate{}, errNoCertificate
	}
	return config.ParseCertificate(text)
}
