package docker

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/docker/docker/api/types/container"
)

// Process is one process of a container, with the pid as the engine's host sees it.
type Process struct {
	PID, PPID int
	Title     string // the command line with its arguments, or what the process has made of it
}

// Top lists a running container's processes.
func (c *Client) Top(ctx context.Context, id string) ([]Process, error) {
	answer, err := c.api.ContainerTop(ctx, id, []string{"-eo", "pid,ppid,args"})
	if err != nil {
		return nil, c.explain(err, "list processes of container %s", id)
	}
	processes, err := parseTop(answer)
	return processes, c.explain(err, "list processes of container %s", id)
}

// parseTop reads ps's table. The engine has split the lines at blanks, the last column (the title) excepted.
func parseTop(answer container.TopResponse) ([]Process, error) {
	column := func(title string) int { return slices.Index(answer.Titles, title) }
	pid, ppid, title := column("PID"), column("PPID"), column("COMMAND")
	if pid < 0 || ppid < 0 || title < 0 {
		return nil, fmt.Errorf("unexpected columns %q", answer.Titles)
	}
	processes := make([]Process, 0, len(answer.Processes))
	for _, line := range answer.Processes {
		if len(line) != len(answer.Titles) {
			return nil, fmt.Errorf("unexpected line %q", line)
		}
		id, err := strconv.Atoi(line[pid])
		if err != nil {
			return nil, fmt.Errorf("pid in line %q: %w", line, err)
		}
		parent, err := strconv.Atoi(line[ppid])
		if err != nil {
			return nil, fmt.Errorf("parent pid in line %q: %w", line, err)
		}
		processes = append(processes, Process{PID: id, PPID: parent, Title: line[title]})
	}
	return processes, nil
}
