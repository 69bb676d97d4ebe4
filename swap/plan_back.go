package swap

import (
	"fmt"
	"slices"
	"strings"

	"bluegreen/docker"
	"bluegreen/nginx"
)

func planRollback(o Observation, w Wanted) (Plan, error) {
	p := Plan{Command: Rollback}
	live, isLive := o.Live()
	deploy := "Deploy the release you want: bluegreen deploy " + w.Service.Settings.Service + " --image IMAGE."
	if !isLive {
		return p, &NothingToRollBackError{Why: "the service is not live", Do: deploy}
	}
	back := o.State.Previous
	if back == nil || back.Profile == live.Profile.Name {
		return p, &NothingToRollBackError{Why: fmt.Sprintf("release %d in %s is the only one that was confirmed", o.Include.Release, live.Profile.Name), Do: deploy}
	}
	p.Release = back.Release
	p.hostUp(o)
	at := o.Place(back.Profile)
	switch {
	case release(at.Container) == back.Release && runs(at):
	case release(at.Container) == back.Release:
		p.add(Step{Kind: StepStart, Profile: back.Profile, Text: fmt.Sprintf("start release %d in %s", back.Release, back.Profile), Undo: "stop it again"})
	case release(at.Prev) == back.Release:
		if runs(at) && !o.waiting(at) {
			p.drain(back.Profile) // what is removed for it was live, if only until it was switched back from
		}
		text := fmt.Sprintf("bring release %d back into %s", back.Release, back.Profile)
		if n := release(at.Container); n > 0 {
			text += fmt.Sprintf(", and remove release %d", n)
		}
		p.add(Step{Kind: StepRestore, Profile: back.Profile, Text: text})
	default:
		return p, &NothingToRollBackError{Why: fmt.Sprintf("release %d (%s) is no longer in %s", back.Release, back.Image, back.Profile), Do: deploy}
	}
	p.health(at)
	p.swap(o)
	p.hook(w, StepPostSwitch, back.Profile)
	return p, nil
}

func planDown(o Observation, w Wanted) Plan {
	p, service := Plan{Command: Down}, w.Service.Settings.Service
	names := containers(o)
	if o.Include != nil || o.State.Paused != nil || len(o.Files[nginx.SitePath(service)]) > 0 || len(o.Files[nginx.IncludePath(service)]) > 0 || w.Volumes && !w.Alone && remembered(o, service) {
		p.add(Step{Kind: StepOut, Text: "take " + service + " out of nginx"})
	}
	if o.NginxRuns() && (len(p.Steps) > 0 || len(names) > 0) {
		p.add(Step{Kind: StepDrain, Text: "wait for the connections that are still open"})
	}
	if len(names) > 0 {
		p.add(Step{Kind: StepRemove, Text: "remove " + strings.Join(names, ", ")})
	}
	if w.Alone && (o.Nginx != nil && !o.adopted() || o.Network != nil || o.Volume && w.Volumes) {
		text := "remove nginx and the network: no other service needs them"
		if o.adopted() {
			text = "take your nginx off the network, and remove that: no other service needs it"
		}
		if w.Volumes {
			text += "; the history too"
			if others := strings.Join(otherHistories(o, service), ", "); others != "" {
				text += ", also that of " + others
			}
		}
		p.add(Step{Kind: StepHost, Text: text})
	}
	if p.Unchanged() {
		p.Why = "nothing of it is here"
	}
	if left := withoutCertificate(o, service); len(left) > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("warning: the certificate goes with %s: %s, under the same name, can be reached by plain HTTP alone then", service, strings.Join(left, ", ")))
	}
	return p
}

// otherHistories are the services that are not here any more, and have a history in nginx's volume.
func otherHistories(o Observation, service string) (list []string) {
	for file := range o.Files {
		if name, ok := nginx.HistoryOf(file); ok && name != service {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// withoutCertificate are the services that nginx serves by HTTPS because of this one's certificate.
func withoutCertificate(o Observation, service string) []string {
	if o.adopted() || nginx.CertificateOf(o.Files, service) == "" {
		return nil
	}
	names := nginx.AllNames(string(o.Files[nginx.SitePath(service)]))
	return slices.DeleteFunc(nginx.OwnSites(o.Files), func(other string) bool {
		shares := slices.ContainsFunc(nginx.AllNames(string(o.Files[nginx.SitePath(other)])), func(n string) bool {
			return slices.ContainsFunc(names, func(ours string) bool { return strings.EqualFold(ours, n) })
		})
		return other == service || !shares || nginx.CertificateOf(o.Files, other) != ""
	})
}

// remembered says whether nginx's volume has files of the service.
func remembered(o Observation, service string) bool {
	for path := range o.Files {
		if strings.HasPrefix(path, nginx.ServiceDir(service)+"/") {
			return true
		}
	}
	return false
}

// containers names every container of the service.
func containers(o Observation) []string {
	var names []string
	for _, p := range o.Places {
		for _, c := range []*docker.Container{p.Container, p.Prev, p.Failed} {
			if c != nil {
				names = append(names, c.Name)
			}
		}
	}
	return names
}
