package docker

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestAgesAreReadByTheirTitle(t *testing.T) {
	titles := []string{"PID", "PPID", "ELAPSED", "COMMAND"}
	got, err := parseAges(container.TopResponse{Titles: titles, Processes: [][]string{{"20", "1", "75", "nginx: worker process"}}})
	if err != nil || len(got) != 1 || got[0] != (Aged{Process{20, 1, "nginx: worker process"}, 75 * time.Second}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []container.TopResponse{
		{Titles: []string{"PID", "PPID", "COMMAND"}, Processes: [][]string{{"20", "1", "x"}}},
		{Titles: titles, Processes: [][]string{{"20", "1", "01:15", "x"}}},
		{Titles: titles, Processes: [][]string{{"x", "1", "75", "x"}}},
	} {
		if got, err := parseAges(bad); err == nil {
			t.Errorf("%+v: %+v", bad, got)
		}
	}
}

func TestEngineTellsTheAgesOfProcesses(t *testing.T) {
	c := engine(t)
	s := profile(t, c, webService())
	before := time.Now()
	id := create(t, c, s)
	start(t, c, id)
	got, err := c.Ages(t.Context(), id)
	if err != nil || len(got) != 1 || !strings.HasPrefix(got[0].Title, "/app") || got[0].Age > time.Since(before)+time.Second {
		t.Errorf("got %+v, %v", got, err)
	}
}
