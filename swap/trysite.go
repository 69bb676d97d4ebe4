package swap

import (
	"context"
	"errors"
	"strings"

	"bluegreen/config"
	"bluegreen/nginx"
)

// trySite lets nginx test the site with its snippet, which is nginx's own language, before a container is replaced for it. What
// else nginx refuses is left to the switch, which mends what others damaged.
func (j *job) trySite(ctx context.Context, p Plan) error {
	if j.Service.Settings.Web.Snippet == nil || !p.has(StepCreate) || !j.obs.NginxRuns() || j.adopted() || j.obs.Network == nil {
		return nil
	}
	return j.underHostLock(ctx, func(ctx context.Context) error {
		if err := j.sendFiles(ctx); err != nil {
			return err
		}
		site, err := j.site(nil)
		if err != nil {
			return err
		}
		main, err := j.mainChange()
		if err != nil {
			return err
		}
		err = j.apply(ctx, nginx.Change{Test: true, Only: true, Files: append(append(main, site...), j.includeNow())})
		var refused *nginx.TestError
		if !errors.As(err, &refused) {
			return err
		}
		return j.snippetRefused(refused)
	})
}

// includeNow is the include as it is; while there is none, one that names the profile to come.
func (j *job) includeNow() nginx.File {
	to := nginx.Target{Service: j.service(), Profile: j.obs.Idle().Profile.Name, Release: j.obs.Highest + 1}
	if j.obs.Include != nil {
		to = *j.obs.Include
	}
	return nginx.File{Path: nginx.IncludePath(j.service()), Text: nginx.Include(to)}
}

// snippetRefused is the error for a snippet that nginx refuses; nil when it refuses something else.
func (j *job) snippetRefused(refused *nginx.TestError) error {
	snippet := j.Service.Settings.Web.Snippet
	if !strings.Contains(refused.Output, nginx.FilePath(j.service(), snippet.Name)) {
		return nil
	}
	return &config.Error{
		Where: "service " + j.service(), What: "nginx refuses its snippet: " + j.asNamed(refused.Output),
		Do: "Mend " + snippet.Path + "; nothing was changed.",
	}
}

// asNamed gives the service's files in nginx's words the names that they have for a person.
func (j *job) asNamed(text string) string {
	for _, f := range j.Service.Settings.Web.Files() {
		if f.Name != "" {
			stored := nginx.FilePath(j.service(), f.Name)
			text = strings.ReplaceAll(strings.ReplaceAll(text, nginx.Root+"/"+stored, f.Path), stored, f.Path)
		}
	}
	return text
}
