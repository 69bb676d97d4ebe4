package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// files writes a folder: name and content in turn.
func files(t *testing.T, nameContent ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(nameContent); i += 2 {
		name := filepath.Join(dir, nameContent[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if filepath.Ext(name) == ".key" {
			mode = 0o600
		}
		if err := os.WriteFile(name, []byte(nameContent[i+1]), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, o Options) *Service {
	t.Helper()
	s, err := Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if s.ProjectDef != nil { // what is taken is taken by the schema too
		for _, file := range s.ProjectDef.ComposeFiles {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := validateText(t, string(text)); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	return s
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s = %+v, want %+v", what, got, want)
	}
}

const minimal = `
name: shop
services:
  web:
    image: shop:1
    x-bluegreen: {}
  db:
    image: postgres:17
`

func TestLoad_EmptySectionGivesAllDefaults(t *testing.T) {
	for name, text := range map[string]string{
		"empty": minimal,
		"null":  strings.Replace(minimal, "x-bluegreen: {}", "x-bluegreen:", 1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := files(t, "compose.yaml", text)
			s := load(t, Options{Dir: dir})
			equal(t, "settings", s.Settings, Settings{
				Service: "web", Project: "shop",
				Profiles: [2]Profile{{Name: "real1", Port: 8081}, {Name: "real2", Port: 8082}},
				Health: Health{
					Path: "/profile", Expect: ExpectProfile, Interval: 250 * time.Millisecond,
					Timeout: 2 * time.Second, Successes: 2, Deadline: 110 * time.Second,
				},
				Watch: 5 * time.Second, Drain: 2 * time.Minute, KeepOld: true,
				Keepalive: 64, KeepaliveTimeout: time.Second, MaxBody: "100m", ProxyTimeout: time.Minute,
			})
			equal(t, "host", s.Host, Host{Network: "bluegreen"})
			equal(t, "profile_env", s.ProfileEnv, []string{"SPRING_PROFILES_ACTIVE", "PROFILE"})
			equal(t, "port_env", s.PortEnv, []string{"SERVER_PORT", "PORT"})
			equal(t, "image", s.Image, "shop:1")
			equal(t, "file", s.File, filepath.Join(dir, "compose.yaml"))
			equal(t, "project's services", len(s.ProjectDef.Services), 2)
		})
	}
}

func TestLoad_EveryKey(t *testing.T) {
	s := load(t, Options{Dir: files(t, "compose.yaml", `
name: shop
x-bluegreen:
  nginx: {http: 8080, status: 8078, address: 127.0.0.2, image: "nginx:1.31", shutdown_timeout: 200s}
  network: {name: green, subnet: 10.77.0.0/20}
services:
  web:
    image: shop:1
    x-bluegreen:
      name: store
      profiles: {blue: 9001, azure: 9002}
      container_port: 3000
      profile_env: [COLOUR]
      port_env: []
      server_names: [shop.example.com, "*.shop.example.com"]
      health: {path: "/health?full=1", expect: text, text: fine, interval: 1s, timeout: 3s, successes: 4, deadline: 1m, host: "shop.example.com:80"}
      watch: 0s
      drain: 10s
      keep_old: false
      upstream: {keepalive: 8, keepalive_timeout: 1500ms}
      max_body: 1g
      proxy_timeout: 187s
      release_header: X-Bluegreen-Release
`)})
	equal(t, "settings", s.Settings, Settings{
		Service: "store", Project: "shop",
		Profiles:      [2]Profile{{Name: "azure", Port: 9002}, {Name: "blue", Port: 9001}}, // by name
		ContainerPort: 3000, ServerNames: []string{"shop.example.com", "*.shop.example.com"},
		Health: Health{
			Path: "/health?full=1", Expect: ExpectText, Text: "fine", Interval: time.Second,
			Timeout: 3 * time.Second, Successes: 4, Deadline: time.Minute, Host: "shop.example.com:80",
		},
		Drain: 10 * time.Second, Keepalive: 8, KeepaliveTimeout: 1500 * time.Millisecond,
		MaxBody: "1g", ProxyTimeout: 187 * time.Second, ReleaseHeader: "X-Bluegreen-Release",
	})
	equal(t, "host", s.Host, Host{
		HTTP: 8080, Status: 8078, Address: "127.0.0.2", Image: "nginx:1.31", ShutdownTimeout: 200 * time.Second,
		Network: "green", Subnet: "10.77.0.0/20",
	})
	equal(t, "profile_env", s.ProfileEnv, []string{"COLOUR"})
	equal(t, "port_env", s.PortEnv, []string{})
}

func TestLoad_KeptOutOfUpByComposeProfiles(t *testing.T) {
	s := load(t, Options{Dir: files(t, "compose.yaml", `
services:
  web: {image: "shop:1", profiles: [bluegreen], depends_on: [db], x-bluegreen: {}}
  db: {image: "postgres:17"}
`)})
	equal(t, "service", s.Service, "web")
}

func TestLoad_Extends(t *testing.T) {
	s := load(t, Options{Dir: files(t,
		"compose.yaml", `
services:
  web:
    extends: {file: base/common.yaml, service: app}
    image: shop:2
    x-bluegreen: {watch: 7s}
`,
		"base/common.yaml", `
services:
  app:
    image: shop:1
    environment: {A: "1"}
    x-bluegreen: {watch: 6s, drain: 30s}
`)})
	equal(t, "watch", s.Watch, 7*time.Second)
	equal(t, "drain", s.Drain, 30*time.Second)
	equal(t, "image", s.Image, "shop:2")
	equal(t, "A", *s.Compose.Environment["A"], "1")
}

func TestLoad_SeveralFiles(t *testing.T) {
	dir := files(t,
		"compose.yaml", minimal,
		"prod.yaml", "services: {web: {image: 'shop:9', x-bluegreen: {server_names: [a.example]}}}",
		".env", "COMPOSE_FILE=compose.yaml:prod.yaml\n",
		"sub/x", "")
	for name, o := range map[string]Options{
		"flag":         {Dir: dir, Files: []string{"compose.yaml", "prod.yaml"}},
		"from below":   {Dir: filepath.Join(dir, "sub"), Files: []string{"../compose.yaml", "../prod.yaml"}},
		"COMPOSE_FILE": {Dir: dir},
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, o)
			equal(t, "image", s.Image, "shop:9")
			equal(t, "server names", s.ServerNames, []string{"a.example"})
			equal(t, "file", s.File, filepath.Join(dir, "compose.yaml"))
			equal(t, "working dir", s.ProjectDef.WorkingDir, dir)
		})
	}
}

func TestLoad_SearchesUpwardAndTakesOverride(t *testing.T) {
	dir := files(t,
		"docker-compose.yml", "services: {web: {image: 'shop:${TAG}', x-bluegreen: {}}}",
		"docker-compose.override.yml", "services: {web: {x-bluegreen: {watch: 9s}}}",
		".env", "TAG=7\n",
		"a/b/x", "")
	s := load(t, Options{Dir: filepath.Join(dir, "a", "b")})
	equal(t, "image", s.Image, "shop:7")
	equal(t, "watch", s.Watch, 9*time.Second)
}

func TestLoad_Interpolation(t *testing.T) {
	t.Setenv("BGT_PORT", "9001")
	t.Setenv("BGT_KEEP", "false")
	s := load(t, Options{Dir: files(t, "compose.yaml", `
services:
  web:
    image: shop:${BGT_TAG:-latest}
    x-bluegreen:
      profiles: {real1: "${BGT_PORT}", real2: "${BGT_OTHER:-9002}"}
      keep_old: ${BGT_KEEP}
      watch: ${BGT_WATCH:-3s}
`)})
	equal(t, "image", s.Image, "shop:latest")
	equal(t, "profiles", s.Profiles, [2]Profile{{Name: "real1", Port: 9001}, {Name: "real2", Port: 9002}})
	equal(t, "keep_old", s.KeepOld, false)
	equal(t, "watch", s.Watch, 3*time.Second)
}

func TestLoad_EnvironmentIsResolved(t *testing.T) {
	t.Setenv("BGT_PASSED", "on")
	s := load(t, Options{
		Env: []string{"C=flag", "BGT_PASSED"},
		Dir: files(t,
			"compose.yaml", `
services:
  web: {image: "shop:1", env_file: [app.env, {path: absent.env, required: false}], environment: {B: compose, C: compose}, x-bluegreen: }
  db: {image: "postgres:17", env_file: not-ours-and-absent.env}
`,
			"app.env", "A=file\nB=file\n"),
	})
	got := map[string]string{}
	for k, v := range s.Compose.Environment {
		got[k] = *v
	}
	equal(t, "environment", got, map[string]string{"A": "file", "B": "compose", "C": "flag", "BGT_PASSED": "on"})
	equal(t, "env_file", len(s.Compose.EnvFiles), 0)
	equal(t, "project's copy", s.ProjectDef.Services["web"], s.Compose)
}

func TestLoad_Choosing(t *testing.T) {
	dir := files(t, "compose.yaml", `
services:
  web: {image: "a:1", x-bluegreen: {name: shop}}
  api: {image: "b:1", x-bluegreen: {server_names: [api.example], profiles: {real1: 8091, real2: 8092}}}
`)
	for name, want := range map[string]string{"web": "shop", "shop": "shop", "api": "api"} {
		equal(t, name, load(t, Options{Dir: dir, Service: name}).Service, want)
	}
}

func TestLoad_FlagsOverrideKeyByKey(t *testing.T) {
	dir := files(t, "compose.yaml", "x-bluegreen: {nginx: {http: 81, status: 8078}}\n"+minimal)
	s := load(t, Options{
		Dir: dir, Image: "shop@sha256:" + strings.Repeat("a", 64), ContainerPort: 80,
		Host: Host{HTTP: 82, ShutdownTimeout: 90 * time.Second, Network: "other", Subnet: "10.1.0.0/24"},
	})
	equal(t, "host", s.Host, Host{
		HTTP: 82, Status: 8078, ShutdownTimeout: 90 * time.Second, Network: "other", Subnet: "10.1.0.0/24",
	})
	equal(t, "image", s.Image, "shop@sha256:"+strings.Repeat("a", 64))
	equal(t, "compose's image", s.Compose.Image, s.Image)
	equal(t, "container port", s.ContainerPort, 80)
}

// TestLoad_EveryHostKeyOfTheCallerWins over the file's, and stands without one.
func TestLoad_EveryHostKeyOfTheCallerWins(t *testing.T) {
	dir := files(t, "compose.yaml", `
x-bluegreen:
  nginx: {http: 81, status: 8078, address: 10.0.0.1, image: "nginx:1.31", shutdown_timeout: 200s}
  network: {name: green, subnet: 10.77.0.0/20}
`+minimal)
	want := Host{
		HTTP: 8080, Status: 8079, Address: "::1", Image: "nginx:mine", ShutdownTimeout: 90 * time.Second,
		Network: "rehearsal", Subnet: "10.1.0.0/24",
	}
	equal(t, "over a file", load(t, Options{Dir: dir, Host: want}).Host, want)
	equal(t, "without a file", load(t, Options{Dir: dir, Name: "web", Image: "a:1", Host: want}).Host, want)
}

func TestLoad_NameWinsOverAFileThatIsThere(t *testing.T) {
	t.Setenv("BGT_PASSED", "on")
	dir := files(t, "compose.yaml", minimal)
	s := load(t, Options{
		Dir: dir, Name: "hello", Image: "hello:1", ContainerPort: 3000, Env: []string{"A=1", "BGT_PASSED"},
	})
	equal(t, "service, project", [2]string{s.Service, s.Project}, [2]string{"hello", "hello"})
	equal(t, "project's name", s.ProjectDef.Name, "hello")
	equal(t, "file", s.File, "")
	equal(t, "image", s.Image, "hello:1")
	equal(t, "container port", s.ContainerPort, 3000)
	equal(t, "profiles", s.Profiles, [2]Profile{{Name: "real1", Port: 8081}, {Name: "real2", Port: 8082}})
	equal(t, "host", s.Host, Host{Network: "bluegreen"})
	equal(t, "A", *s.Compose.Environment["A"], "1")
	equal(t, "passed", *s.Compose.Environment["BGT_PASSED"], "on")
	equal(t, "project's copy", s.ProjectDef.Services["hello"], s.Compose)
}

func TestLoad_NoDeployNeedsNoImage(t *testing.T) {
	dir := files(t, "compose.yaml", "services: {web: {build: ., x-bluegreen: {}}}")
	equal(t, "image", load(t, Options{Dir: dir, NoDeploy: true}).Image, "")
	equal(t, "image", load(t, Options{Dir: dir, Name: "web", NoDeploy: true}).Image, "")
}

func TestLoad_NoFileSaysBothWaysToStart(t *testing.T) {
	_, err := Load(t.Context(), Options{Dir: t.TempDir()})
	if !errors.Is(err, ErrNoFile) {
		t.Fatalf("error %v does not wrap ErrNoFile", err)
	}
	for _, want := range []string{"--file", "--name NAME --image IMAGE"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestLoad_TakesAWholeNumberHoweverItIsWritten(t *testing.T) {
	for _, written := range []string{"8080", "08080", "8080.0", `"8080"`, "8.08e3"} {
		s := load(t, Options{Dir: files(t, "compose.yaml", one("container_port: "+written))})
		equal(t, written, s.Settings.ContainerPort, 8080)
	}
}
