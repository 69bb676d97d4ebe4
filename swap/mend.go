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

// mainChange is nginx.conf where it is not as this version of ours writes it, as an older one's is: the sites need it.
func (j *job) mainChange() ([]nginx.File, error) {
	if j.obs.Nginx == nil || j.gate.adopted {
		return nil, nil
	}
	main, err := mainFile(j.obs.Host, j.obs.Nginx.Labels[LabelNginxVersion])
	if err != nil || main.Text == string(j.obs.Files[nginx.MainPath]) {
		return nil, err
	}
	return []nginx.File{main}, nil
}

// applyMended makes a change. When nginx refuses it, it is made once more with what others have damaged since as it was
// last confirmed: nginx.conf, and the sites of other services. A fault of this service's own stays its fault.
func (j *job) applyMended(ctx context.Context, c nginx.Change) error {
	err := j.apply(ctx, c)
	var refused *nginx.TestError
	if !errors.As(err, &refused) {
		return err
	}
	mended, names, e := j.mendOthers(ctx)
	if e != nil || len(mended) == 0 {
		return err
	}
	c.Files = append(slices.Clone(c.Files), mended...)
	if j.apply(ctx, c) != nil {
		return err
	}
	for _, name := range names {
		j.note(fmt.Sprintf("warning: nginx refused %s, which is put back as it was last confirmed: %s", name, refused.Output))
	}
	return nil
}

// mendOthers is what is to be written so that nothing outside of this service's own site is damaged, and what that is for
// a person. Other services may have changed theirs since this run looked: it looks again.
func (j *job) mendOthers(ctx context.Context) (files []nginx.File, names []string, err error) {
	have, err := j.w.ReadTree(ctx, j.names.nginx, j.gate.root)
	if err != nil {
		return nil, nil, err
	}
	if !j.gate.adopted {
		main, err := mainFile(j.obs.Host, j.obs.Nginx.Labels[LabelNginxVersion])
		if err != nil {
			return nil, nil, err
		}
		if main.Text != string(have[nginx.MainPath]) {
			files, names = append(files, main), append(names, "its nginx.conf")
		}
	}
	for _, service := range nginx.ConfirmedServices(have) {
		if service == j.service() {
			continue
		}
		if damaged := nginx.ConfirmedChange(have, service); len(damaged) > 0 {
			files, names = append(files, damaged...), append(names, "the site of service "+service)
		}
	}
	return files, names, nil
}

// mendConfiguration writes what is ours in nginx's configuration anew when nginx does not take it as it is.
func (j *job) mendConfiguration(ctx context.Context, c docker.Container) error {
	err := j.apply(ctx, nginx.Change{Test: true})
	var refused *nginx.TestError
	if !errors.As(err, &refused) {
		return err
	}
	j.obs.Nginx = &c
	change := nginx.Change{Test: true}
	if change.Files, _, err = j.mendOthers(ctx); err != nil {
		return err
	}
	if to := j.obs.Include; to != nil {
		change.Files = append(change.Files, nginx.File{Path: nginx.IncludePath(j.service()), Text: nginx.Include(*to)})
		if site, e := j.site(nil); e == nil {
			change.Files = append(change.Files, nginx.SiteChange(j.obs.Files, j.service(), site)...)
		}
	}
	if err := j.apply(ctx, change); err != nil {
		return err
	}
	j.note("nginx did not take its configuration, which is written anew: " + refused.Output)
	return nil
}
