package rehearse

import (
	"context"
	_ "embed"
	"fmt"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/swap"
)

// recipeText is the nginx.conf of the recipe: what its guide sets up, and beside it only a header by which the answers
// name their release, for the measuring. See the file for what it lacks.
//
//go:embed recipe.conf
var recipeText string

// What the recipe's scripts sleep, whatever happens: after the old process was told to end, before the first question for
// health, and before each further one.
const (
	recipeStopSleep   = 5 * time.Second
	recipeHealthSleep = 10 * time.Second
	recipeHealthTries = 10
)

// Where the recipe's files are in its nginx container.
const (
	recipeRoot    = "/recipe"
	recipeInclude = recipeRoot + "/service-url.inc"
	recipeMain    = recipeRoot + "/nginx.conf"
)

// recipe swaps as five well-known scripts do: stop, start, health, switch, with fixed sleeps, an include written in
// place with the address of a container, and a reload that nobody confirms.
type recipe struct {
	*stage
	network docker.Network
	live    int // profile, by its place in the configuration
	release int
	running [2]string // ids of the containers
}

func (r *recipe) nginx() string { return swap.NginxName(r.names.network) }

// first brings up nginx and a container, without the scripts' sleeps: nothing is measured yet.
func (r *recipe) first(ctx context.Context, image string) (int, string, error) {
	r.live, r.release = 0, 0
	if err := r.createNetwork(ctx); err != nil {
		return 0, "", fmt.Errorf("create the recipe's network: %w", err)
	}
	if err := r.start(ctx, 0, image); err != nil {
		return 0, "", err
	}
	if err := r.startNginx(ctx); err != nil { // before the first question, which may go through it
		return 0, "", fmt.Errorf("start the recipe's nginx: %w", err)
	}
	if err := r.healthy(ctx, 0, config.DefaultHealthInterval, recipeFirstTries); err != nil {
		return 0, "", err
	}
	return r.release, r.profile(0), r.answers(ctx, r.probe(r.ports.http, insideNginx), config.DefaultHealthInterval, recipeFirstTries)
}

// recipeFirstTries are as many questions as bluegreen's own deadline allows.
const recipeFirstTries = int(config.DefaultDeadline / config.DefaultHealthInterval)

// swap runs the scripts in their order.
func (r *recipe) swap(ctx context.Context, image string, m *meter) error {
	idle := 1 - r.live
	m.planned(r.release, r.release+1, r.profile(idle))
	for _, script := range []struct {
		name string
		run  func() error
	}{
		{"stop", func() error { return r.stop(ctx, idle, m) }},
		{"start", func() error { return r.start(ctx, idle, image) }},
		{"health", func() error {
			if !sleep(ctx, recipeHealthSleep) {
				return ctx.Err()
			}
			return r.healthy(ctx, idle, recipeHealthSleep, recipeHealthTries)
		}},
		{"switch", func() error {
			m.switching(time.Now())
			return r.point(ctx, idle)
		}},
	} {
		began := time.Now()
		m.begun(script.name + ".sh")
		if err := script.run(); err != nil {
			return fmt.Errorf("%s.sh: %w", script.name, err)
		}
		m.step(script.name, time.Since(began))
	}
	m.confirmed(time.Now()) // as far as the recipe is concerned: the reload's command came back
	return nil
}

// stop tells the idle container to end, and sleeps. The scripts do not look whether somebody still uses it.
func (r *recipe) stop(ctx context.Context, at int, m *meter) error {
	id := r.running[at]
	if id == "" {
		return nil
	}
	m.retiring(time.Now(), r.profile(at))
	if err := r.client.Stop(ctx, id); err != nil {
		return err
	}
	if !sleep(ctx, recipeStopSleep) {
		return ctx.Err()
	}
	r.running[at] = ""
	return r.client.Remove(ctx, id)
}

// start creates and starts the next release in a profile.
func (r *recipe) start(ctx context.Context, at int, image string) error {
	found, err := r.client.Image(ctx, image)
	if err != nil {
		return err
	}
	s, profile := r.copy, r.copy.Settings.Profiles[at]
	address, err := r.network.Address(profile.Port)
	if err != nil {
		return err
	}
	id, err := r.client.CreateProfile(ctx, docker.ProfileSpec{
		Name: s.Settings.Service + "-recipe-" + profile.Name, Image: found, Service: s.Compose, Project: s.ProjectDef, Env: s.AppEnv(profile),
		Labels:    map[string]string{swap.LabelNetwork: r.names.network},
		NetworkID: r.network.ID, NetworkName: r.network.Name, Address: address, HostPort: profile.Port, ContainerPort: s.AppPort(profile),
	})
	if err != nil {
		return err
	}
	r.running[at] = id
	r.release++
	return r.client.Start(ctx, id)
}

// healthy asks a profile.
func (r *recipe) healthy(ctx context.Context, at int, pause time.Duration, tries int) error {
	probe, err := r.probeProfile(at)
	if err != nil {
		return err
	}
	return r.answers(ctx, probe, pause, tries)
}

// answers asks until the answer is a good one: the recipe's own check takes any text with "real" in it.
func (r *recipe) answers(ctx context.Context, probe health.Probe, pause time.Duration, tries int) error {
	var last error
	for range tries {
		if _, last = probe.Get(ctx); last == nil {
			return nil
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
	return last
}

// point writes the include in place and reloads.
func (r *recipe) point(ctx context.Context, at int) error {
	text, err := r.include(at)
	if err != nil {
		return err
	}
	done, err := r.client.Exec(ctx, r.nginx(), []string{
		"sh", "-c", `printf %s "$1" >"$2" && nginx -c "$3" -s reload`, "sh", text, recipeInclude, recipeMain,
	})
	if err == nil && done.ExitCode != 0 {
		err = fmt.Errorf("reload: %s", strings.TrimSpace(done.Stderr))
	}
	r.live = at
	return err
}

// include is the recipe's: the address of a container. The second line is for the measuring.
func (r *recipe) include(at int) (string, error) {
	profile := r.copy.Settings.Profiles[at]
	address, err := r.network.Address(profile.Port)
	return fmt.Sprintf("set $service_url http://%s:%d;\nset $release %d;\n", address, r.copy.AppPort(profile), r.release), err
}

func (r *recipe) profile(at int) string { return r.copy.Settings.Profiles[at].Name }
