package rehearse

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/config"
)

var errNotReady = errors.New("not ready")

const production = `
name: shop
x-bluegreen:
  nginx: {http: 80, image: own-nginx:1, shutdown_timeout: 90s}
  network: {name: production, subnet: 10.77.0.0/20}
services:
  web:
    image: shop:v1
    restart: always
    environment: {DATABASE_URL: "postgres://db/shop"}
    networks: [back]
    labels: {traefik.enable: "true"}
    volumes:
      - data:/data
      - shared:/shared
      - ./files:/files
      - ./config:/config:ro
    x-bluegreen:
      server_names: ["*.example.com", shop.example.org]
      profiles: {blue: 9001, green: 9002}
networks:
  back: {}
volumes:
  data: {}
  shared: {external: true, name: precious}
`

func load1(t *testing.T, text string) *config.Service {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := config.Load(t.Context(), config.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func copied(t *testing.T, shared bool) (original, copy *config.Service) {
	t.Helper()
	original = load1(t, production)
	return original, copyOf(original, namesOf("abcdef"), ports{http: 20004, status: 20005, profiles: [2]int{20002, 20003}}, shared)
}

func TestACopySharesNothingWithTheRealService(t *testing.T) {
	original, c := copied(t, false)
	if len(c.Compose.Networks) != 0 {
		t.Errorf("it joins %v", c.Compose.Networks)
	}
	for _, v := range c.Compose.Volumes {
		if v.Type == "bind" && !v.ReadOnly {
			t.Errorf("it may write to %s", v.Source)
		}
	}
	for key, v := range c.ProjectDef.Volumes {
		if v.Name != "bluegreen-rehearsal-abcdef_"+key || bool(v.External) || v.Labels["bluegreen.network"] != "bluegreen-rehearsal-abcdef" {
			t.Errorf("volume %s is %+v", key, v)
		}
	}
	if c.ProjectDef.Name == original.ProjectDef.Name {
		t.Error("what is made for it belongs to the real project")
	}
	if got := c.Settings.Profiles; got[0].Port != 20002 || got[1].Port != 20003 || got[0].Listen != 9001 || got[1].Listen != 9002 {
		t.Errorf("profiles %+v", got)
	}
	if h := c.Host; h.Network != "bluegreen-rehearsal-abcdef" || h.Subnet != "" || h.HTTP != 20004 || h.Status != 20005 || h.Address != "127.0.0.1" {
		t.Errorf("host %+v", h)
	}
	if h := c.Host; h.Image != "own-nginx:1" || h.ShutdownTimeout != original.Host.ShutdownTimeout {
		t.Errorf("nginx is not as in production: %+v", h)
	}
	if len(c.Compose.Labels) > 0 {
		t.Errorf("a proxy may take it for the real one, by %v", c.Compose.Labels)
	}
	if c.Settings.Service != "rehearsal-abcdef-web" || c.Compose.Restart != "no" || c.Settings.ReleaseHeader != DefaultReleaseHeader {
		t.Errorf("service %s, restart %s, header %s", c.Settings.Service, c.Compose.Restart, c.Settings.ReleaseHeader)
	}
	if c.ProjectDef.Services["web"].Restart != "no" {
		t.Error("the project has another service than the copy")
	}
}

// The real service is not changed by being copied.
func TestACopyLeavesItsOriginalAlone(t *testing.T) {
	original, _ := copied(t, false)
	if again := load1(t, production); original.Settings.Profiles != again.Settings.Profiles || original.Compose.Restart != again.Compose.Restart ||
		len(original.Compose.Networks) != 1 || original.ProjectDef.Volumes["shared"].Name != "precious" || original.Host.Network != "production" {
		t.Errorf("the original has become %+v", original)
	}
	if slices.ContainsFunc(original.Compose.Volumes[:3], func(v types.ServiceVolumeConfig) bool { return v.ReadOnly }) {
		t.Error("the original may only read its folders now")
	}
}

func TestASharedCopyKeepsNetworksVolumesAndFolders(t *testing.T) {
	original, c := copied(t, true)
	if len(c.Compose.Networks) != 1 || c.ProjectDef.Volumes["shared"].Name != "precious" || c.ProjectDef.Name != original.ProjectDef.Name {
		t.Errorf("networks %v, volumes %v", c.Compose.Networks, c.ProjectDef.Volumes)
	}
	if c.Compose.Volumes[2].ReadOnly {
		t.Error("it may only read ./files")
	}
}

func TestACopyDoesNotGetTheHostsSockets(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := load1(t, strings.ReplaceAll(production, "./files:/files", socket+":/engine.sock"))
	c := copyOf(s, namesOf("abcdef"), ports{profiles: [2]int{20002, 20003}}, false)
	if slices.ContainsFunc(c.Compose.Volumes, func(v types.ServiceVolumeConfig) bool { return v.Source == socket }) {
		t.Errorf("the copy has %s", socket)
	}
	if text := strings.Join(notes(s, nil, false), ""); !strings.Contains(text, "has no "+socket) {
		t.Errorf("the notes do not say so: %s", text)
	}
}

func TestNotesSayWhatTheCopySharesOrLacks(t *testing.T) {
	original := load1(t, production)
	networks := []string{"shop_back"}
	apart, shared := strings.Join(notes(original, networks, false), "\n"), strings.Join(notes(original, networks, true), "\n")
	for _, part := range []string{"data", "shared", "files", "shop_back"} {
		if !strings.Contains(apart, part) {
			t.Errorf("%q does not say %q", apart, part)
		}
	}
	if strings.Contains(apart, "config") {
		t.Errorf("%q names a folder that may only be read anyway", apart)
	}
	if !strings.Contains(shared, "of the real service") {
		t.Errorf("%q", shared)
	}
}

// The load asks by plain HTTP on loopback: what would keep it out is not in the copy, nor any key of the real service.
func TestACopyIsOpenToTheLoadAndSaysSo(t *testing.T) {
	s := load1(t, production)
	file := func(name string) config.File { return config.File{Path: name, Name: name} }
	page := file("page.html")
	s.Web = config.Web{
		TLS: &config.TLS{Certificate: file("a.crt"), Key: file("a.key"), Redirect: true}, Allow: []string{"10.0.0.0/8"},
		BasicAuth: &config.BasicAuth{File: file("a.htpasswd")}, Headers: map[string]string{"X-Frame-Options": "DENY"}, ErrorPages: map[int]*config.File{502: &page},
		Preview: &config.Preview{ServerNames: []string{"next.example.com"}},
	}
	s.Host.HTTPS, s.Host.Webroot = 443, "/srv/acme"
	c := copyOf(s, namesOf("abcdef"), ports{http: 20004, status: 20005, profiles: [2]int{20002, 20003}}, false)
	if c.Web.TLS != nil || c.Web.BasicAuth != nil || len(c.Web.Allow) > 0 || c.Web.Preview != nil || c.Host.HTTPS != 0 || c.Host.Webroot != "" {
		t.Errorf("the copy has %+v, port %d, webroot %s", c.Web, c.Host.HTTPS, c.Host.Webroot)
	}
	if len(c.Web.Headers) != 1 || len(c.Web.ErrorPages) != 1 {
		t.Errorf("the copy's site does less than it could: %+v", c.Web)
	}
	if s.Web.TLS == nil || s.Host.HTTPS != 443 {
		t.Errorf("the original has become %+v", s.Web)
	}
	for _, shared := range []bool{false, true} {
		if text := strings.Join(notes(s, nil, shared), "\n"); !strings.Contains(text, "it has no tls, basic_auth, allow, preview") {
			t.Errorf("shared %v: the notes do not say so: %s", shared, text)
		}
	}
}

func TestHostHeader(t *testing.T) {
	for names, want := range map[string]string{
		"":                              "",
		"shop.example.com":              "shop.example.com",
		"*.example.com":                 "rehearsal.example.com",
		".example.com":                  "example.com",
		"shop.*":                        "shop.test",
		"shop.example.com other.test.x": "shop.example.com",
	} {
		s := &config.Service{}
		s.ServerNames = strings.Fields(names)
		if got := hostHeader(s); got != want {
			t.Errorf("hostHeader(%q) = %q, want %q", names, got, want)
		}
	}
}

func TestNamesStayValid(t *testing.T) {
	for service, want := range map[string]string{
		"web":                     "rehearsal-abcdef-web",
		strings.Repeat("x", 63):   "rehearsal-abcdef-" + strings.Repeat("x", 30),
		strings.Repeat("a-.", 20): "rehearsal-abcdef-" + strings.Repeat("a-.", 10)[:28],
	} {
		if got := namesOf("abcdef").service(service); got != want {
			t.Errorf("service(%q) = %q, want %q", service, got, want)
		}
	}
}

// TestACopyRunsNoHooksAndTellsNobody: a hook may be a migration of the real database.
func TestACopyRunsNoHooksAndTellsNobody(t *testing.T) {
	s := load1(t, production)
	one := []config.Hook{{Script: "./migrate.sh"}}
	s.Hooks = config.Hooks{PreDeploy: one, PreSwitch: one, PostSwitch: one, OnFailure: one}
	s.Notify = []config.Notify{{URL: "https://hooks.example.com/deploys"}}
	c := copyOf(s, namesOf("abcdef"), ports{http: 20004, status: 20005, profiles: [2]int{20002, 20003}}, false)
	if h := c.Hooks; len(h.PreDeploy)+len(h.PreSwitch)+len(h.PostSwitch)+len(h.OnFailure) > 0 || len(c.Notify) > 0 {
		t.Errorf("the copy has the hooks %+v, and tells %+v", c.Hooks, c.Notify)
	}
	if len(s.Hooks.PreSwitch) != 1 || len(s.Notify) != 1 {
		t.Error("the service has lost its own")
	}
}
