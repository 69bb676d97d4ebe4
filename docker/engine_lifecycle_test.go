package docker

import (
	"bytes"
	"crypto/rand"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

func TestRenameListAndPolicy(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	run := rand.Text()
	s.Labels = map[string]string{"bluegreen.test": "docker", "bluegreen.run": run}
	id := create(t, c, s)
	renamed := s.Name + "-prev"
	if err := c.Rename(t.Context(), id, renamed); err != nil {
		t.Fatal(err)
	}
	if err := c.SetRestartPolicy(t.Context(), id, "on-failure:3"); err != nil {
		t.Fatal(err)
	}
	for _, labels := range []map[string]string{{"bluegreen.run": run}, {"bluegreen.run": run, "bluegreen.test": ""}} {
		found, err := c.Containers(t.Context(), labels)
		if err != nil || len(found) != 1 || found[0].Name != renamed || found[0].RestartPolicy != "on-failure:3" {
			t.Errorf("%v: %+v, %v", labels, found, err)
		}
	}
	for range 2 {
		if err := c.Remove(t.Context(), id); err != nil {
			t.Errorf("remove: %v", err)
		}
	}
}

func TestWaitReportsTheExit(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Command: []string{"print", "out", "err", "7"},
	}})
	id := create(t, c, s)
	start(t, c, id)
	for range 2 { // the second time it has long ended
		select {
		case exit := <-c.Wait(t.Context(), id):
			if exit.Code != 7 || exit.OOMKilled || exit.Err != nil {
				t.Errorf("exit %+v", exit)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no exit")
		}
	}
	var out, errs bytes.Buffer
	if err := c.Logs(t.Context(), id, LogOptions{Tail: 5}, &out, &errs); err != nil || out.String() != "out\n" || errs.String() != "err\n" {
		t.Errorf("log %q %q %v", out.String(), errs.String(), err)
	}
}

// TestWaitReportsTheExitOfWhatTheEngineStartsAgain, which forgets it in that moment.
func TestWaitReportsTheExitOfWhatTheEngineStartsAgain(t *testing.T) {
	c := engine(t)
	id := create(t, c, profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{Command: []string{"print", "out", "err", "7"}}}))
	if err := c.SetRestartPolicy(t.Context(), id, "always"); err != nil {
		t.Fatal(err)
	}
	start(t, c, id)
	for range 5 {
		select {
		case exit := <-c.Wait(t.Context(), id):
			if exit.Code != 7 || exit.Err != nil {
				t.Errorf("exit %+v", exit)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("no exit")
		}
	}
	if code := c.lastExit(t.Context(), id); code != 7 {
		t.Errorf("the engine told of %d", code)
	}
}

func TestLogOfATerminal(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web",
		ContainerSpec: types.ContainerSpec{Command: []string{"print", "out", "err", "0"}}, WorkloadSpec: types.WorkloadSpec{Tty: true}})
	id := create(t, c, s)
	start(t, c, id)
	<-c.Wait(t.Context(), id)
	var out bytes.Buffer
	if err := c.Logs(t.Context(), id, LogOptions{}, &out, nil); err != nil || out.String() != "out\r\nerr\r\n" {
		t.Errorf("log %q %v", out.String(), err)
	}
}

func TestStopUsesTheContainersOwnSignal(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{StopSignal: "SIGUSR1"}})
	id := create(t, c, s)
	start(t, c, id)
	waitForLog(t, c, id, "waiting")
	if err := c.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	waitForLog(t, c, id, "got user defined signal 1")
}
