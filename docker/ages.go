package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Aged is a process with how long it has run, in whole seconds.
type Aged struct {
	Process
	Age time.Duration
}

// Ages lists a running container's processes with their ages. It is an error where the ps of the engine's host
// does not tell them.
func (c *Client) Ages(ctx context.Context, id string) ([]Aged, error) {
	answer, err := c.api.ContainerTop(ctx, id, []string{"-eo", "pid,ppid,etimes,args"})
	if err != nil {
		return nil, c.explain(err, "list ages of the processes of container %s", id)
	}
	aged, err := parseAges(answer)
	return aged, c.explain(err, "list ages of the processes of container %s", id)
}

func parseAges(answer container.TopResponse) ([]Aged, error) {
	processes, err := parseTop(answer)
	if err != nil {
		return nil, err
	}
	column := slices.Index(answer.Titles, "ELAPSED")
	if column < 0 {
		return nil, fmt.Errorf("no ages among the columns %q", answer.Titles)
	}
	aged := make([]Aged, len(processes))
	for i, line := range answer.Processes {
		seconds, err := strconv.Atoi(line[column])
		if err != nil {
			return nil, fmt.Errorf("age in line %q: %w", line, err)
		}
		aged[i] = Aged{processes[i], time.Duration(seconds) * time.Second}
	}
	return aged, nil
}
