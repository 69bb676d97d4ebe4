package docker

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

func TestProfileKeepsItsFixedAddress(t *testing.T) {
	c := engine(t)
	compose := testNetwork(t, c, "compose")
	s := profile(t, c, types.ServiceConfig{
		Name:          "web",
		ContainerSpec: types.ContainerSpec{Networks: map[string]*types.ServiceNetworkConfig{"default": nil, "back": nil}},
	})
	s.Project = &types.Project{Networks: types.Networks{"back": {Name: compose.Name}, "default": {Name: name("absent")}}}
	id := create(t, c, s)
	if got := inspect(t, c, id); got.State != "created" || got.RestartPolicy != "no" || got.ImageID != s.Image.ID || got.Image != s.Image.ID {
		t.Errorf("after create: %+v", got)
	}
	for _, when := range []string{"first start", "second start"} {
		got := start(t, c, id)
		if e := got.Networks[s.NetworkName]; e.Address != s.Address || e.Fixed != s.Address || e.NetworkID != s.NetworkID {
			t.Errorf("%s: on the bluegreen network %+v, want address %s", when, e, s.Address)
		}
		e, ok := got.Networks[compose.Name]
		if !ok || e.Fixed != "" {
			t.Errorf("%s: on the compose network %+v, %t", when, e, ok)
		}
		if len(got.Networks) != 2 || !got.Running() {
			t.Errorf("%s: networks %v, state %s", when, got.Networks, got.State)
		}
		if want := (Port{"127.0.0.1", s.HostPort, s.ContainerPort}); len(got.Ports) != 1 || got.Ports[0] != want {
			t.Errorf("%s: ports %v, want %v", when, got.Ports, want)
		}
		if err := c.Stop(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Stop(t.Context(), id); err != nil {
		t.Errorf("stopping a stopped container: %v", err)
	}
}

func TestLostAddressComesBackWithConnect(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{Name: "web"})
	id := create(t, c, s)
	start(t, c, id)
	if err := c.Disconnect(t.Context(), s.NetworkID, id); err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(t.Context(), s.NetworkID, id, s.Address); err != nil {
		t.Fatal(err)
	}
	if e := inspect(t, c, id).Networks[s.NetworkName]; e.Address != s.Address || e.Fixed != s.Address {
		t.Errorf("after connecting again: %+v, want %s", e, s.Address)
	}
}

func TestExplicitNetworkMustExist(t *testing.T) {
	c := engine(t)
	s := profile(t, c, types.ServiceConfig{
		Name: "web", ContainerSpec: types.ContainerSpec{Networks: map[string]*types.ServiceNetworkConfig{"back": nil}},
	})
	_, err := c.CreateProfile(t.Context(), s)
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "docker compose up") {
		t.Errorf("got %v", err)
	}
	if _, err := c.Container(t.Context(), s.Name); !errors.Is(err, ErrNotFound) {
		t.Errorf("a container was left: %v", err)
	}
}

func TestVolumesOfTheProject(t *testing.T) {
	c := engine(t)
	volume := name("volume")
	t.Cleanup(func() { c.RemoveVolume(context.Background(), volume) })
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Volumes: []types.ServiceVolumeConfig{{Type: "volume", Source: "data", Target: "/data"}},
	}})
	s.Project = &types.Project{Name: "shop", Volumes: types.Volumes{"data": {Name: volume, External: true}}}
	if _, err := c.CreateProfile(t.Context(), s); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), volume) {
		t.Errorf("an external volume that is missing: %v", err)
	}
	s.Project.Volumes = types.Volumes{"data": {Name: volume}}
	got := inspect(t, c, create(t, c, s))
	if len(got.Mounts) != 1 || got.Mounts[0].Name != volume || got.Mounts[0].Target != "/data" {
		t.Errorf("mounts %+v", got.Mounts)
	}
	made, err := c.api.VolumeInspect(t.Context(), volume)
	if err != nil || made.Labels["com.docker.compose.project"] != "shop" || made.Labels["com.docker.compose.volume"] != "data" {
		t.Errorf("volume %+v, %v", made, err)
	}
}

func TestRecreateKeepsNameConfigurationAndAddress(t *testing.T) {
	c := engine(t)
	compose := testNetwork(t, c, "compose")
	s := profile(t, c, types.ServiceConfig{Name: "web", ContainerSpec: types.ContainerSpec{
		Networks: map[string]*types.ServiceNetworkConfig{"back": nil},
	}})
	s.Project = &types.Project{Networks: types.Networks{"back": {Name: compose.Name}}}
	s.Env = map[string]string{"PROFILE": "real1"}
	id := create(t, c, s)
	before := start(t, c, id)
	if err := c.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	// The compose project goes down and up again: its network has a new id, and the old container cannot start.
	if err := c.RemoveNetwork(t.Context(), compose.ID); err != nil {
		t.Fatal(err)
	}
	again, err := c.CreateNetwork(t.Context(), compose.Name, "", testLabels)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("start of the old container: %v", c.Start(t.Context(), id))
	c.Stop(t.Context(), id)

	newID, err := c.Recreate(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	after := start(t, c, newID)
	if after.Name != before.Name || after.ImageID != before.ImageID || after.Labels["bluegreen.test"] != "docker" {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if e := after.Networks[s.NetworkName]; e.Address != s.Address {
		t.Errorf("address %+v, want %s", e, s.Address)
	}
	if e := after.Networks[compose.Name]; e.NetworkID != again.ID {
		t.Errorf("compose network %+v, want %s", e, again.ID)
	}
	if _, err := c.Container(t.Context(), id); !errors.Is(err, ErrNotFound) {
		t.Errorf("the old container is still there: %v", err)
	}
}
