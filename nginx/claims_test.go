package nginx

import (
	"slices"
	"testing"
)

// TestClaimsAreAllThatASiteTakesAndNothingElse: the pages beside the locations are nobody's to take, and a path with gRPC is one
// more beside the rest.
func TestClaimsAreAllThatASiteTakesAndNothingElse(t *testing.T) {
	pages := Web{ErrorPages: map[int]string{502: "00ee.html"}, Snippet: "00dd.inc"}
	for name, c := range map[string]struct {
		paths []string
		web   Web
		want  []Claim
	}{
		"all":                {want: []Claim{{"a.example", "/", false}}},
		"paths":              {paths: []string{"/api", "/b"}, want: []Claim{{"a.example", "/api", false}, {"a.example", "/b", false}}},
		"all, with pages":    {web: pages, want: []Claim{{"a.example", "/", false}}},
		"a path, with pages": {paths: []string{"/api"}, web: pages, want: []Claim{{"a.example", "/api", false}}},
		"maintenance":        {web: Web{Maintenance: &Maintenance{Page: "00ab.html"}}, want: []Claim{{"a.example", "/", false}}},
		"gRPC":               {web: Web{GRPC: true}, want: []Claim{{"a.example", "/", false}}},
		"gRPC of a path":     {web: Web{GRPCPaths: []string{"/shop.Orders"}}, want: []Claim{{"a.example", "/", false}, {"a.example", "/shop.Orders", false}}},
		"gRPC of both":       {paths: []string{"/api", "/b"}, web: Web{GRPCPaths: []string{"/b", "/b/c"}}, want: []Claim{{"a.example", "/api", false}, {"a.example", "/b", false}, {"a.example", "/b/c", false}}},
		"a preview": {
			paths: []string{"/api"}, web: Web{GRPCPaths: []string{"/b"}, Preview: &Preview{ServerNames: []string{"next.example", "*.next.example"}}},
			want: []Claim{{"a.example", "/api", false}, {"a.example", "/b", false}, {"next.example", "/api", true}, {"next.example", "/b", true}, {"*.next.example", "/api", true}, {"*.next.example", "/b", true}},
		},
	} {
		site := defaultSite()
		site.ServerNames, site.Paths, site.Web = []string{"a.example"}, c.paths, c.web
		if got := Claims(confirmedTree(site), "shop"); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
