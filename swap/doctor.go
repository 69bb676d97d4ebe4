package swap

import (
	"context"
	"errors"
	"fmt"

	"bluegreen/config"
	"bluegreen/docker"
)

// Level is how bad a finding is.
type Level string

// The levels. A problem makes a swap fail or lose requests, or the service is down; a warning may do so one day.
const (
	LevelOK      Level = "ok"
	LevelWarning Level = "warning"
	LevelProblem Level = "problem"
	LevelSkipped Level = "skipped" // the check could not be made
)

// Check is one check and what came of it. A check with several findings is there once for each of them. Its JSON is
// documented and stable.
type Check struct {
	Name  string `json:"check"`
	Level Level  `json:"level"`
	What  string `json:"what"`             // what is well, what was found, or why it was skipped
	Do    string `json:"remedy,omitempty"` // of a finding
}

// Diagnosis is every check of a service and its host, in the order of the table; its JSON is documented and stable.
type Diagnosis struct {
	Service string  `json:"service"`
	Checks  []Check `json:"checks"`
}

// At are the checks of one level, in their order.
func (d Diagnosis) At(l Level) (list []Check) {
	for _, c := range d.Checks {
		if c.Level == l {
			list = append(list, c)
		}
	}
	return list
}

// Err is a *FindingsError when there are problems or, with strict, warnings.
func (d Diagnosis) Err(strict bool) error {
	e := &FindingsError{Service: d.Service, Problems: len(d.At(LevelProblem)), Warnings: len(d.At(LevelWarning))}
	if e.Problems > 0 || strict && e.Warnings > 0 {
		return e
	}
	return nil
}

// FindingsError says how much was found.
type FindingsError struct {
	Service            string
	Problems, Warnings int
}

func (e *FindingsError) Error() string {
	return fmt.Sprintf("%s: %d problems, %d warnings", e.Service, e.Problems, e.Warnings)
}

// checkup is a kind of check.
type checkup struct {
	name string
	well string // what is true when it finds nothing
	look func(*doctor, context.Context) ([]Check, error)
}

// checkups are all of them. The order is that of the output: first what the others stand on.
var checkups = []checkup{
	{"configuration", "a deploy of this configuration is not refused", (*doctor).configuration},
	{"network", "there is one network of the name", (*doctor).network},
	{"nginx", "nginx runs, and comes back by itself", (*doctor).nginxRuns},
	{"nginx-process", "nginx itself gets the signals of its container", (*doctor).nginxProcess},
	{"keepalive", "nginx keeps busy connections at a reload", (*doctor).keepalive},
	{"include", "nginx reads the service's site and include", (*doctor).include},
	{"certificate", "a certificate, where there is one, counts and is for the service's names", (*doctor).certificateCounts},
	{"mounts", "nginx's configuration is mounted as a folder", (*doctor).mounts},
	{"agreement", "include, record and running workers agree", (*doctor).agreement},
	{"workers", "no worker is stuck in shutdown", (*doctor).workers},
	{"live", "the live profile answers as itself", (*doctor).liveIsUp},
	{"addresses", "all containers have their places on the network", (*doctor).addresses},
	{"places", "nobody else is where the next release goes", (*doctor).places},
	{"restart", "the profiles come back by themselves", (*doctor).restart},
	{"ports", "the profiles are published on loopback only", (*doctor).ports},
	{"idle-connections", "the app keeps idle connections longer than nginx", (*doctor).idleConnections},
	{"rollback", "a rollback would change something", (*doctor).rollback},
	{"platform", "the images are of the host's platform", (*doctor).platform},
	{"disk", "there is room for another image", (*doctor).disk},
	{"clock", "the clocks of this machine and the Docker host agree", (*doctor).clock},
	{"compose", "docker compose runs no container of the service", (*doctor).compose},
	{"leftovers", "nothing is left of an interrupted run", (*doctor).leftovers},
}

// Diagnose looks for all that would make a swap of the service lose requests or fail. It takes no lock and changes
// nothing. What is found is no error; an engine that does not answer is, and a service that nobody knows.
func Diagnose(ctx context.Context, w World, s *config.Service) (Diagnosis, error) {
	d := &doctor{job: newJob(w, Request{Service: s})}
	diagnosis := Diagnosis{Service: d.service()}
	if err := d.see(ctx); err != nil {
		return diagnosis, err
	}
	for _, c := range checkups {
		found, err := c.look(d, ctx)
		if fatal(ctx, err) {
			return diagnosis, err
		}
		for _, f := range found {
			f.Name = c.name
			diagnosis.Checks = append(diagnosis.Checks, f)
		}
		if err != nil {
			diagnosis.Checks = append(diagnosis.Checks, Check{Name: c.name, Level: LevelSkipped, What: err.Error()})
		} else if len(found) == 0 {
			diagnosis.Checks = append(diagnosis.Checks, Check{Name: c.name, Level: LevelOK, What: c.well})
		}
	}
	return diagnosis, nil
}

// fatal says whether an error ends the whole diagnosis.
func fatal(ctx context.Context, err error) bool {
	var unreachable *docker.UnreachableError
	return err != nil && (ctx.Err() != nil || errors.As(err, &unreachable))
}

func problem(what, do string) Check { return Check{Level: LevelProblem, What: what, Do: do} }
func warning(what, do string) Check { return Check{Level: LevelWarning, What: what, Do: do} }

// skip is the reason why a check cannot be made.
func skip(format string, args ...any) error { return fmt.Errorf(format, args...) }
