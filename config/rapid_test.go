package config

import (
	"strings"
	"testing"
	"unicode"

	"github.com/compose-spec/compose-go/v2/types"
	"pgregory.net/rapid"
)

// Whatever stands in the file, nothing that could end or bend a directive comes out of it.
func TestDecode_NothingThatEndsADirective(t *testing.T) {
	nasty := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`/?[a-z.*~0-9]{0,8}[;{}"'\n\r\x00 $#\\]?[a-z0-9m]{0,4}`),
		rapid.SampledFrom([]string{"/profile", "100m", "a.example", "*.b.example"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		section := map[string]any{
			"name":           nasty.Draw(t, "name"),
			"server_names":   []any{nasty.Draw(t, "server name")},
			"max_body":       nasty.Draw(t, "max_body"),
			"release_header": nasty.Draw(t, "release_header"),
			"health":         map[string]any{"path": nasty.Draw(t, "path"), "host": nasty.Draw(t, "host")},
		}
		for _, key := range []string{"name", "server_names", "max_body", "release_header", "health"} {
			if rapid.Bool().Draw(t, "without "+key) {
				delete(section, key)
			}
		}
		services, f := decodeServices(&types.Project{Services: types.Services{
			"web": {Name: "web", Extensions: types.Extensions{extension: section}},
		}})
		if f != nil {
			return
		}
		schemaTakes(t, serviceFile(section))
		s := services[0]
		for _, v := range append(s.ServerNames, s.Service, s.MaxBody, s.ReleaseHeader, s.Health.Path, s.Health.Host) {
			if strings.ContainsAny(v, ";{}\"'`\\ ") || strings.ContainsFunc(v, unicode.IsControl) {
				t.Fatalf("%q came through", v)
			}
		}
	})
}

// The decoder takes any shape a YAML file can have without a panic, and places every fault.
func TestDecode_AnyShape(t *testing.T) {
	scalar := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(rapid.Int(), asAny[int]), rapid.Map(rapid.Float64(), asAny[float64]),
		rapid.Map(rapid.Bool(), asAny[bool]), rapid.Map(rapid.SampledFrom([]string{"", "5s", "1m", "text", "/x"}), asAny[string]),
	)
	value := rapid.OneOf(scalar,
		rapid.Map(rapid.SliceOfN(scalar, 0, 2), asAny[[]any]),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"path", "expect", "keepalive", "real1", "x"}), scalar, 0, 3), asAny[map[string]any]),
	)
	var keys []string
	for _, f := range append(serviceFields(&Service{}), hostFields(&Host{})...) {
		keys = append(keys, f.key)
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.MapOfN(rapid.SampledFrom(keys), value, 0, 4).Draw(t, "section")
		check := func(f *fault, file any) {
			if f == nil {
				schemaTakes(t, file)
			} else if f.what == "" || len(f.at) == 0 {
				t.Fatalf("fault without a place or words: %+v", f)
			}
		}
		check(decode(raw, serviceFields(defaults())), serviceFile(raw))
		check(decodeHost(raw, &Host{}), hostFile(raw))
	})
}

func asAny[T any](v T) any { return v }
