package docker

import (
	"net/http"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

func webService() types.ServiceConfig { return types.ServiceConfig{Name: "web"} }

func TestNetworksOfOneNameAreAllListedWithWhoIsOnThem(t *testing.T) {
	type m = map[string]any
	_, host := fakeEngine(t, "1.41", map[string]http.HandlerFunc{
		"GET /networks":       says([]m{{"Name": "bluegreen", "Id": "two"}, {"Name": "bluegreen-probe-1", "Id": "three"}, {"Name": "bluegreen", "Id": "one"}, {"Name": "my-bluegreen", "Id": "other"}, {"Name": "bluegreen", "Id": "gone"}}),
		"GET /networks/one":   says(m{"Name": "bluegreen", "Id": "one", "Containers": m{"c1": m{"Name": "bluegreen-nginx"}}}),
		"GET /networks/other": says(m{"Name": "my-bluegreen", "Id": "other"}),
		"GET /networks/two":   says(m{"Name": "bluegreen", "Id": "two"}),
		"GET /networks/three": says(m{"Name": "bluegreen-probe-1", "Id": "three"}),
	})
	list, err := dial(t, host).NetworksLike(t.Context(), "bluegreen")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, n := range list {
		ids = append(ids, n.ID)
	}
	if !slices.Equal(ids, []string{"one", "two", "three"}) || list[0].Containers["c1"] != "bluegreen-nginx" || len(list[1].Containers) != 0 {
		t.Errorf("got %+v", list)
	}
}

func TestEngineListsNetworksByTheBeginningOfTheirNames(t *testing.T) {
	c := engine(t)
	made := testNetwork(t, c, "list")
	list, err := c.NetworksLike(t.Context(), made.Name[:len(made.Name)-1])
	if err != nil || len(list) != 1 || list[0].ID != made.ID || list[0].Subnet != made.Subnet {
		t.Errorf("made %+v, found %+v, %v", made, list, err)
	}
}
