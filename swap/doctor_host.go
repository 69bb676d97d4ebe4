package swap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"bluegreen/docker"
)

// skewWarning is how far the clocks may be apart.
const skewWarning = 5 * time.Second

// clock compares this machine's clock with the Docker host's; the time of the call is allowed for.
func (d *doctor) clock(context.Context) ([]Check, error) {
	if d.engine.Time.IsZero() {
		return nil, skip("the engine does not tell its time")
	}
	if d.skew.Abs() <= skewWarning {
		return nil, nil
	}
	how := "ahead of"
	if d.skew < 0 {
		how = "behind"
	}
	return []Check{warning(fmt.Sprintf("the Docker host's clock is %v %s this machine's: the times in history and locks mislead", d.skew.Abs().Round(time.Second), how),
		"Set both clocks by the network (timedatectl set-ntp true).")}, nil
}

// platform finds images that the host runs by emulation, or not at all.
func (d *doctor) platform(ctx context.Context) (found []Check, err error) {
	host := d.engine.OS + "/" + d.engine.Arch
	for _, p := range d.obs.Places {
		if p.Container == nil {
			continue
		}
		other, err := d.foreign(ctx, p.Container.ImageID, host)
		if err != nil {
			return found, err
		}
		if other != "" {
			found = append(found, warning(fmt.Sprintf("%s runs an image for %s, and the host is %s: it is emulated, which is slow", p.Container.Name, other, host),
				"Build the image for "+host+", and deploy it."))
		}
	}
	if d.Service.Image == "" {
		return found, nil
	}
	other, err := d.foreign(ctx, d.Service.Image, host)
	if errors.Is(err, docker.ErrNotFound) {
		return found, skip("image %s is not on the host yet", d.Service.Image)
	}
	if err != nil || other == "" {
		return found, err
	}
	what, do := fmt.Sprintf("image %s is for %s, and the host is %s", d.Service.Image, other, host), "Build it for "+host+"."
	if d.Service.Compose.Platform != "" {
		return append(found, warning(what+", as `platform` asks for", do)), nil
	}
	return append(found, problem(what+": it does not start, or is emulated", do)), nil
}

// foreign is an image's platform, when it is not the host's.
func (d *doctor) foreign(ctx context.Context, ref, host string) (string, error) {
	i, err := d.w.Image(ctx, ref)
	if err != nil || !docker.Foreign(i.Platform, host) {
		return "", err
	}
	return i.Platform, nil
}

// How little room is worth a word: for the image that a deploy pulls, and for anything at all. In bytes.
const (
	lowRoom   = 1 << 30
	leastRoom = 100 << 20
)

// disk compares the room where the engine keeps its data with what one more image takes. nginx's volume lies there.
func (d *doctor) disk(ctx context.Context) ([]Check, error) {
	if d.obs.Nginx == nil {
		return nil, skip("there is no nginx yet to ask in")
	}
	r, err := (place{d.job}).Run(ctx, []string{"df", "-P", "-k", d.root()})
	if err != nil {
		return nil, err
	}
	room, err := parseDF(r.Stdout)
	if err != nil {
		return nil, fmt.Errorf("ask df in %s: %w: %s", d.names.nginx, err, strings.TrimSpace(r.Stderr))
	}
	var image int64
	if live, ok := d.obs.Live(); ok && live.Container != nil {
		i, err := d.w.Image(ctx, live.Container.ImageID)
		if err != nil {
			return nil, err
		}
		image = i.Size
	}
	return judgeRoom(room, image), nil
}

func judgeRoom(room, image int64) []Check {
	what := fmt.Sprintf("%s are free where the engine keeps its data", megabytes(room))
	do := "docker image prune and docker builder prune remove what no container uses; or make the disk larger."
	switch {
	case room < leastRoom:
		return []Check{problem(what+": almost nothing fits", do)}
	case room < image:
		return []Check{problem(fmt.Sprintf("%s, and the live image takes %s: the next one does not fit", what, megabytes(image)), do)}
	case room < max(lowRoom, 2*image):
		return []Check{warning(fmt.Sprintf("%s; the live image takes %s", what, megabytes(image)), do)}
	}
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", n/1_000_000) }

// parseDF reads the bytes that are available from what `df -P -k` says about one file system.
func parseDF(text string) (int64, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	f := strings.Fields(lines[len(lines)-1])
	if len(lines) < 2 || len(f) < 6 {
		return 0, fmt.Errorf("not an answer of df: %q", text)
	}
	n, err := strconv.ParseInt(f[len(f)-3], 10, 64)
	return n << 10, err
}

// compose finds containers that docker compose runs of the same service.
func (d *doctor) compose(ctx context.Context) (found []Check, err error) {
	name := d.Service.Compose.Name
	if name == "" {
		name = d.service()
	}
	list, err := d.w.Containers(ctx, map[string]string{
		"com.docker.compose.project": d.Service.Settings.Project, "com.docker.compose.service": name,
	})
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(c docker.Container) bool { return c.Labels[LabelService] != "" || !c.Running() })
	for _, c := range list {
		found = append(found, warning(fmt.Sprintf("docker compose runs %s, a container of the same service, beside bluegreen's", c.Name),
			fmt.Sprintf("docker rm -f %s; and give the service `profiles: [bluegreen]` or `scale: 0`, so that docker compose up leaves it out.", c.Name)))
	}
	return found, nil
}
