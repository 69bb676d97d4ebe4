package swap

import (
	"context"
	"errors"

	"bluegreen/config"
	"bluegreen/docker"
)

// configuration finds what a deploy would refuse before it touches anything.
func (d *doctor) configuration(ctx context.Context) (found []Check, err error) {
	add := func(err error) {
		if err != nil {
			found = append(found, refusal(err))
		}
	}
	add(d.notOurs)
	add(d.checkOwn(ctx))
	s := d.Service
	if s.File == "" {
		return found, nil
	}
	add(s.Refused)
	if s.Exposed != "" {
		found = append(found, warning("every user of this machine may read the private key "+s.Exposed, "chmod 600 "+s.Exposed))
	}
	for _, err := range d.unfitHooks() {
		found = append(found, warning("the "+err.Error(), "Install it here, name it by its path, or run it `in: container`."))
	}
	add(d.obs.checkHost(s.Host))
	add(d.obs.checkNames(s.Settings))
	if err := d.checkTaken(ctx); fatal(ctx, err) {
		return found, err
	} else {
		add(err)
	}
	if refused := docker.Check(s.Compose, s.ProjectDef); refused != nil {
		add(refused)
		return found, nil
	}
	_, _, err = d.w.ComposeNetworks(ctx, s.Compose, s.ProjectDef)
	if fatal(ctx, err) {
		return found, err
	}
	add(err)
	return found, nil
}

// refusal turns an error of the configuration into a finding.
func refusal(err error) Check {
	var usage *config.Error
	if errors.As(err, &usage) {
		return problem(usage.Where+": "+usage.What, usage.Do)
	}
	return problem(err.Error(), "Mend it in the compose file, or make what it names.")
}
