package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bluegreen/docker"
	"bluegreen/nginx"
)

// mainFile is nginx.conf for a host's keys and an nginx of that version.
func mainFile(keys HostKeys, version string) (nginx.File, error) {
	timeout, err := time.ParseDuration(keys.ShutdownTimeout)
	if err != nil {
		return nginx.File{}, fmt.Errorf("read shutdown_timeout: %w", err)
	}
	return nginx.File{Path: nginx.MainPath, Text: nginx.Main(nginx.MainConfig{Version: version, ShutdownTimeout: timeout, HTTPS: keys.HTTPS})}, nil
}

// mainChange is nginx.conf where it lacks what the sites need, as an older bluegreen's does. Anything else that a person has
// changed in it stays until nginx refuses it.
func (j *job) mainChange() ([]nginx.File, error) {
	if j.obs.Nginx == nil || j.adopted() || nginx.HasLayout(string(j.obs.Files[nginx.MainPath])) {
		return nil, nil
	}
	main, err := mainFile(j.obs.Host, j.obs.Nginx.Labels[LabelNginxVersion])
	return []nginx.File{main}, err
}

// OtherSiteError says that nginx refuses a change because of a file that is not the service's own, and that no copy helps.
type OtherSiteError struct {
	File, Service string // Service: "" when the file is no service's
	Err           *nginx.TestError
}

func (e *OtherSiteError) Error() string {
	if e.Service == "" {
		return fmt.Sprintf("%v; %s is not bluegreen's: mend or remove it", e.Err, e.File)
	}
	return fmt.Sprintf("%[1]v; %[2]s belongs to service %[3]s, and no confirmed copy of it helps: `bluegreen deploy %[3]s` writes it anew, `bluegreen down %[3]s` takes it out",
		e.Err, e.File, e.Service)
}

func (e *OtherSiteError) Unwrap() error { return e.Err }

// applyMended makes a change. As long as nginx refuses it because of what others have damaged, it is made once more with that
// as it was last confirmed: the sites of other services, and nginx.conf. A fault of this service's own stays its fault.
func (j *job) applyMended(ctx context.Context, c nginx.Change) error {
	mended, notes := map[string]bool{}, []string(nil)
	for {
		err := j.apply(ctx, c)
		var refused *nginx.TestError
		if !errors.As(err, &refused) {
			for _, n := range notes {
				j.note(n)
			}
			return err
		}
		have, e := j.readTree(ctx)
		if e != nil {
			return err
		}
		m := j.mendFor(have, refused, mended)
		if len(m.files) == 0 {
			return j.blame(have, refused, err)
		}
		mended[m.what] = true
		notes = append(notes, fmt.Sprintf("warning: nginx refused %s: %s", m.what, refused.Output))
		c.Files = append(slices.Clone(c.Files), m.files...)
	}
}

// mend is what puts a damaged part of nginx's configuration right, and what that is for a person.
type mend struct {
	files []nginx.File
	what  string
}

// mendFor is what may help against a refusal, and was not tried: the blamed site of another service as it was confirmed; then
// nginx.conf as we write it, which is what the rest builds upon; then all others that somebody changed, since nginx blames
// the second of two that do not go together.
func (j *job) mendFor(have map[string][]byte, refused *nginx.TestError, tried map[string]bool) mend {
	file, service := refused.Blamed(have)
	var list []mend
	if service != "" && service != j.service() {
		list = append(list, mend{confirmedSite(have, service), fmt.Sprintf("the site of service %s (%s), which is put back as it was last confirmed", service, file)})
	}
	if j.obs.Nginx != nil && !j.adopted() { // else it is being created, with an nginx.conf of ours, or that is its owner's
		main, err := mainFile(j.obs.Host, j.obs.Nginx.Labels[LabelNginxVersion])
		if err == nil && main.Text != string(have[nginx.MainPath]) {
			list = append(list, mend{[]nginx.File{main}, "its nginx.conf, which is written anew"})
		}
	}
	for _, other := range j.othersAtRest(have) {
		if nginx.Shares(have, other) {
			list = append(list, mend{confirmedSite(have, other), fmt.Sprintf("the configuration; the site of service %s, which was changed, is put back as it was last confirmed", other)})
		}
	}
	for _, m := range list {
		if len(m.files) > 0 && !tried[m.what] {
			return m
		}
	}
	return mend{}
}

// othersAtRest are the other services that are live, with no swap open, and of which there is a copy.
func (j *job) othersAtRest(have map[string][]byte) []string {
	return slices.DeleteFunc(nginx.Copied(have), func(service string) bool {
		state, err := parseState(have[nginx.StatePath(service)])
		return service == j.service() || err != nil || state.Confirmed == nil || state.Intent != nil
	})
}

// confirmedSite is what makes another service's site what it was when it was confirmed. An include that cannot be read names
// what that service's state says.
func confirmedSite(have map[string][]byte, service string) []nginx.File {
	files := nginx.ConfirmedChange(have, service)
	state, err := parseState(have[nginx.StatePath(service)])
	if c := state.Confirmed; err == nil && c != nil {
		for i := range files {
			if files[i].Path == nginx.IncludePath(service) {
				files[i].Text = nginx.Include(nginx.Target{Service: service, Profile: c.Profile, Release: c.Release})
			}
		}
	}
	return files
}

// blame is the error of a refusal that nothing helps against.
func (j *job) blame(have map[string][]byte, refused *nginx.TestError, err error) error {
	file, service := refused.Blamed(have)
	if file == "" || file == nginx.MainPath || service == j.service() {
		refused.Output = j.asNamed(refused.Output)
		return err
	}
	return &OtherSiteError{File: file, Service: service, Err: refused}
}

// lost are the sites of other services that are live and of which somebody removed files, or led the include elsewhere: nginx
// takes that, and its next reload, for this service, would take them away. Known only under the host's lock: a service may be on its way out.
func (j *job) lost(ctx context.Context) (files []nginx.File, err error) {
	if len(nginx.Lost(j.obs.Files)) == 0 {
		return nil, nil
	}
	have, err := j.readTree(ctx)
	if err != nil {
		return nil, err
	}
	for _, service := range j.othersAtRest(have) {
		if !slices.Contains(nginx.Lost(have), service) {
			continue
		}
		j.note(fmt.Sprintf("warning: files of the site of service %s are missing or lead elsewhere, which is put back as it was last confirmed", service))
		files = append(files, confirmedSite(have, service)...)
	}
	return files, nil
}

// readTree reads nginx's files as they are now: under the host's lock, other services may have changed theirs since this run
// looked.
func (j *job) readTree(ctx context.Context) (map[string][]byte, error) {
	have, err := j.w.ReadTree(ctx, j.names.nginx, j.root())
	switch {
	case errors.Is(err, docker.ErrNotFound) && j.adopted():
		return nil, nil // the first deploy makes the folder
	case errors.Is(err, docker.ErrNotFound):
		return j.readVolume(ctx)
	}
	return have, err
}

func (j *job) readVolume(ctx context.Context) (map[string][]byte, error) {
	return j.w.ReadVolume(ctx, j.names.volume, map[string]string{LabelRole: RoleOneShot, LabelNetwork: j.names.network, LabelRun: j.run})
}

// mendConfiguration puts right what nginx, which is down, does not take: what others damaged, and else what is this
// service's own.
func (j *job) mendConfiguration(ctx context.Context, c docker.Container) error {
	j.obs.Nginx = &c
	lost, err := j.lost(ctx)
	if err != nil {
		return err
	}
	err = j.applyWith(ctx, nginx.Change{Test: true}, lost)
	var refused *nginx.TestError
	if !errors.As(err, &refused) || j.obs.Include == nil {
		return err
	}
	include := nginx.File{Path: nginx.IncludePath(j.service()), Text: nginx.Include(*j.obs.Include)}
	change := nginx.Change{Test: true, Files: []nginx.File{include}}
	if site, e := j.site(nil); e == nil {
		change.Files = append(change.Files, nginx.SiteChange(j.obs.Files, j.service(), site)...)
	}
	if e := j.applyMended(ctx, change); e != nil {
		return e
	}
	j.note("nginx did not take its configuration, which is written anew: " + refused.Output)
	return nil
}
