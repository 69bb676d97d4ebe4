package docker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/strslice"
	"github.com/docker/go-connections/nat"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// load reads the service web, whose keys are given in YAML's flow or block style, as compose would.
func load(t *testing.T, serviceKeys, topLevel string) (types.ServiceConfig, *types.Project) {
	t.Helper()
	text := "services:\n  web:\n    image: shop\n"
	for line := range strings.Lines(serviceKeys) {
		text += "    " + line
	}
	text += "\n  db: {image: db}\n"
	dir := t.TempDir()
	for name, content := range map[string]string{"secret.txt": "one", "vars.env": "FROM_FILE=1\n", "seccomp.json": "{ \"a\":  1 }"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	project, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: dir, Environment: types.Mapping{"TAKEN": "from the shell"},
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml"), Content: []byte(text + "\n" + topLevel)}},
	}, func(o *loader.Options) { o.SetProjectName("shop", true) })
	if err != nil {
		t.Fatalf("load:\n%s\n%v", text, err)
	}
	return project.Services["web"], project
}

const topLevel = `
volumes: {data: {driver_opts: {size: 1g}, labels: {a: b}}, shared: {external: true, name: theirs}}
networks: {back: {}, front: {name: edge, external: true}}
secrets: {token: {file: ./secret.txt}, env: {environment: TAKEN}, away: {external: true}}
configs: {conf: {file: ./secret.txt}, text: {content: hello}}
`

// conversionTests has one row a compose key: what is written, what of the container is looked at, what it must be.
var conversionTests = []struct {
	key, yaml string
	got       func(v *conversion) any
	want      any
}{
	{"annotations", `annotations: {a: b}`, func(v *conversion) any { return v.host.Annotations }, map[string]string{"a": "b"}},
	{"cap_add", `cap_add: [NET_ADMIN]`, func(v *conversion) any { return v.host.CapAdd }, strslice.StrSlice{"NET_ADMIN"}},
	{"cap_drop", `cap_drop: [ALL]`, func(v *conversion) any { return v.host.CapDrop }, strslice.StrSlice{"ALL"}},
	{"cgroup", `cgroup: private`, func(v *conversion) any { return v.host.CgroupnsMode }, container.CgroupnsMode("private")},
	{"cgroup_parent", `cgroup_parent: m`, func(v *conversion) any { return v.host.CgroupParent }, "m"},
	{"command", `command: ["a b", c]`, func(v *conversion) any { return v.config.Cmd }, strslice.StrSlice{"a b", "c"}},
	{"command", `command: a "b c"`, func(v *conversion) any { return v.config.Cmd }, strslice.StrSlice{"a", "b c"}},
	{"configs", `configs: [conf]`, func(v *conversion) any { return v.host.Mounts[0].Target }, "/conf"},
	{"configs", `configs: [{source: conf, target: /etc/c, mode: 0400}]`, func(v *conversion) any {
		m := v.host.Mounts[0]
		return []any{m.Type, filepath.Base(m.Source), m.Target, m.ReadOnly, len(v.files)}
	}, []any{mount.TypeBind, "secret.txt", "/etc/c", true, 1}},
	{"cpu_period", `cpu_period: 5000`, func(v *conversion) any { return v.host.CPUPeriod }, int64(5000)},
	{"cpu_quota", `cpu_quota: 5000`, func(v *conversion) any { return v.host.CPUQuota }, int64(5000)},
	{"cpu_rt_period", `cpu_rt_period: 1400`, func(v *conversion) any { return v.host.CPURealtimePeriod }, int64(1400)},
	{"cpu_rt_runtime", `cpu_rt_runtime: 400`, func(v *conversion) any { return v.host.CPURealtimeRuntime }, int64(400)},
	{"cpu_shares", `cpu_shares: 73`, func(v *conversion) any { return v.host.CPUShares }, int64(73)},
	{"cpus", `cpus: 0.1`, func(v *conversion) any { return v.host.NanoCPUs }, int64(100_000_000)},
	{"cpuset", `cpuset: "0,1"`, func(v *conversion) any { return v.host.CpusetCpus }, "0,1"},
	{"deploy", "deploy:\n  replicas: 1\n  resources:\n    limits: {cpus: '0.5', memory: 64m, pids: 9}\n    reservations: {memory: 32m}", func(v *conversion) any {
		return []any{v.host.NanoCPUs, v.host.Memory, *v.host.PidsLimit, v.host.MemoryReservation}
	}, []any{int64(5e8), int64(64 << 20), int64(9), int64(32 << 20)}},
	{"device_cgroup_rules", `device_cgroup_rules: ["c 1:3 mr"]`, func(v *conversion) any { return v.host.DeviceCgroupRules }, []string{"c 1:3 mr"}},
	{"devices", `devices: ["/dev/null:/dev/x:r"]`, func(v *conversion) any { return v.host.Devices },
		[]container.DeviceMapping{{PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "r"}}},
	{"dns", `dns: 1.1.1.1`, func(v *conversion) any { return v.host.DNS }, []string{"1.1.1.1"}},
	{"dns_opt", `dns_opt: [use-vc]`, func(v *conversion) any { return v.host.DNSOptions }, []string{"use-vc"}},
	{"dns_search", `dns_search: [a.example]`, func(v *conversion) any { return v.host.DNSSearch }, []string{"a.example"}},
	{"domainname", `domainname: a.example`, func(v *conversion) any { return v.config.Domainname }, "a.example"},
	{"entrypoint", `entrypoint: [/run, x]`, func(v *conversion) any { return v.config.Entrypoint }, strslice.StrSlice{"/run", "x"}},
	{"entrypoint", `entrypoint: []`, func(v *conversion) any { return v.config.Entrypoint != nil && len(v.config.Entrypoint) == 0 }, true},
	{"environment", `environment: {B: "2", A: "1", TAKEN: , ABSENT: }`, func(v *conversion) any { return v.config.Env },
		[]string{"A=1", "ABSENT", "B=2", "TAKEN=from the shell"}},
	{"env_file", `env_file: vars.env`, func(v *conversion) any { return v.config.Env }, []string{"FROM_FILE=1"}},
	{"expose", `expose: ["8080", "9000-9001/udp"]`, func(v *conversion) any { return v.config.ExposedPorts },
		nat.PortSet{"8080/tcp": {}, "9000/udp": {}, "9001/udp": {}}},
	{"extra_hosts", `extra_hosts: ["b=::1", "a:10.0.0.1"]`, func(v *conversion) any { return v.host.ExtraHosts }, []string{"a:10.0.0.1", "b:::1"}},
	{"gpus", `gpus: all`, func(v *conversion) any { return v.host.DeviceRequests },
		[]container.DeviceRequest{{Count: -1, Capabilities: [][]string{{"gpu"}}}}},
	{"group_add", `group_add: [mail]`, func(v *conversion) any { return v.host.GroupAdd }, []string{"mail"}},
	{"healthcheck", `healthcheck: {test: [CMD, a], interval: 1s, timeout: 2s, retries: 3, start_period: 4s}`, func(v *conversion) any { return *v.config.Healthcheck },
		container.HealthConfig{Test: []string{"CMD", "a"}, Interval: 1e9, Timeout: 2e9, Retries: 3, StartPeriod: 4e9}},
	{"healthcheck", `healthcheck: {disable: true}`, func(v *conversion) any { return v.config.Healthcheck.Test }, []string{"NONE"}},
	{"healthcheck", `healthcheck: {test: a, start_period: 1s, start_interval: 1s}`, func(v *conversion) any { return v.needs },
		[]need{{"services.web.healthcheck.start_interval", "1.44"}}},
	{"hostname", `hostname: h`, func(v *conversion) any { return v.config.Hostname }, "h"},
	{"init", `init: true`, func(v *conversion) any { return *v.host.Init }, true},
	{"ipc", `ipc: host`, func(v *conversion) any { return v.host.IpcMode }, container.IpcMode("host")},
	{"labels", `labels: {a: b, com.docker.compose.project: x}`, func(v *conversion) any { return v.config.Labels }, map[string]string{"a": "b"}},
	{"logging", `logging: {driver: local, options: {max-size: 1m}}`, func(v *conversion) any { return v.host.LogConfig },
		container.LogConfig{Type: "local", Config: map[string]string{"max-size": "1m"}}},
	{"mem_limit", `mem_limit: 64m`, func(v *conversion) any { return v.host.Memory }, int64(64 << 20)},
	{"mem_reservation", `mem_reservation: 32m`, func(v *conversion) any { return v.host.MemoryReservation }, int64(32 << 20)},
	{"mem_swappiness", `mem_swappiness: 10`, func(v *conversion) any { return *v.host.MemorySwappiness }, int64(10)},
	{"memswap_limit", `memswap_limit: -1`, func(v *conversion) any { return v.host.MemorySwap }, int64(-1)},
	{"networks", `networks: {back: {priority: 1}, front: {priority: 2, driver_opts: {a: b}}}`, func(v *conversion) any { return v.networks },
		[]attachment{{Name: "edge", DriverOpts: map[string]string{"a": "b"}, path: "services.web.networks.front"}, {Name: "shop_back", path: "services.web.networks.back"}}},
	{"networks", `working_dir: /`, func(v *conversion) any { return v.networks }, []attachment{{Name: "shop_default", Optional: true, path: "services.web.networks.default"}}},
	{"oom_kill_disable", `oom_kill_disable: true`, func(v *conversion) any { return *v.host.OomKillDisable }, true},
	{"oom_score_adj", `oom_score_adj: 5`, func(v *conversion) any { return v.host.OomScoreAdj }, 5},
	{"pid", `pid: host`, func(v *conversion) any { return v.host.PidMode }, container.PidMode("host")},
	{"pids_limit", `pids_limit: 7`, func(v *conversion) any { return *v.host.PidsLimit }, int64(7)},
	{"platform", `platform: linux/arm64/v8`, func(v *conversion) any { return *v.platform }, ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}},
	{"privileged", `privileged: true`, func(v *conversion) any { return v.host.Privileged }, true},
	{"read_only", `read_only: true`, func(v *conversion) any { return v.host.ReadonlyRootfs }, true},
	{"restart", `restart: always`, func(v *conversion) any { return v.host.RestartPolicy }, container.RestartPolicy{Name: "no"}},
	{"runtime", `runtime: runsc`, func(v *conversion) any { return v.host.Runtime }, "runsc"},
	{"scale", `scale: 0`, func(v *conversion) any { return nil }, nil},
	{"secrets", `secrets: [token]`, func(v *conversion) any { return v.host.Mounts[0].Target }, "/run/secrets/token"},
	{"secrets", `secrets: [{source: token, target: other, uid: "1"}]`, func(v *conversion) any { return v.host.Mounts[0].Target }, "/run/secrets/other"},
	{"security_opt", `security_opt: ["no-new-privileges:true", "seccomp:unconfined", "seccomp=seccomp.json"]`, func(v *conversion) any { return v.host.SecurityOpt },
		[]string{"no-new-privileges:true", "seccomp:unconfined", `seccomp={"a":1}`}},
	{"security_opt", `security_opt: [systempaths=unconfined]`, func(v *conversion) any { return v.host.MaskedPaths != nil && v.host.ReadonlyPaths != nil }, true},
	{"shm_size", `shm_size: 1m`, func(v *conversion) any { return v.host.ShmSize }, int64(1 << 20)},
	{"stdin_open", `stdin_open: true`, func(v *conversion) any { return v.config.OpenStdin }, true},
	{"stop_grace_period", `stop_grace_period: 1500ms`, func(v *conversion) any { return *v.config.StopTimeout }, 2},
	{"stop_signal", `stop_signal: SIGINT`, func(v *conversion) any { return v.config.StopSignal }, "SIGINT"},
	{"storage_opt", `storage_opt: {size: 1G}`, func(v *conversion) any { return v.host.StorageOpt }, map[string]string{"size": "1G"}},
	{"sysctls", `sysctls: {net.core.somaxconn: 1024}`, func(v *conversion) any { return v.host.Sysctls }, map[string]string{"net.core.somaxconn": "1024"}},
	{"tmpfs", `tmpfs: ["/run", "/tmp:size=1m"]`, func(v *conversion) any { return v.host.Tmpfs }, map[string]string{"/run": "", "/tmp": "size=1m"}},
	{"tty", `tty: true`, func(v *conversion) any { return v.config.Tty }, true},
	{"ulimits", `ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}`, func(v *conversion) any { return v.host.Ulimits },
		[]*container.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}, {Name: "nproc", Soft: 3, Hard: 3}}},
	{"user", `user: "1000:1000"`, func(v *conversion) any { return v.config.User }, "1000:1000"},
	{"userns_mode", `userns_mode: host`, func(v *conversion) any { return v.host.UsernsMode }, container.UsernsMode("host")},
	{"uts", `uts: host`, func(v *conversion) any { return v.host.UTSMode }, container.UTSMode("host")},
	{"volumes", `volumes: ["/srv:/data:ro,z"]`, func(v *conversion) any { return v.host.Binds }, []string{"/srv:/data:ro,z"}},
	{"volumes", `volumes: [{type: bind, source: /srv, target: /data, bind: {create_host_path: false, propagation: rslave}}]`, func(v *conversion) any { return v.host.Mounts },
		[]mount.Mount{{Type: "bind", Source: "/srv", Target: "/data", BindOptions: &mount.BindOptions{Propagation: "rslave"}}}},
	{"volumes", `volumes: [{type: volume, source: data, target: /data, read_only: true, volume: {nocopy: true}}]`, func(v *conversion) any {
		return []any{v.host.Mounts, v.volumes[0].create.Name, v.volumes[0].create.DriverOpts, v.volumes[0].create.Labels, v.volumes[0].external}
	}, []any{
		[]mount.Mount{{Type: "volume", Source: "shop_data", Target: "/data", ReadOnly: true, VolumeOptions: &mount.VolumeOptions{NoCopy: true}}},
		"shop_data", map[string]string{"size": "1g"},
		map[string]string{"a": "b", "com.docker.compose.project": "shop", "com.docker.compose.volume": "data"}, false}},
	{"volumes", `volumes: ["shared:/data"]`, func(v *conversion) any { return []any{v.volumes[0].create.Name, v.volumes[0].external} }, []any{"theirs", true}},
	{"volumes", `volumes: ["/anonymous"]`, func(v *conversion) any {
		return []any{v.host.Mounts[0].Source, v.host.Mounts[0].Target, len(v.volumes)}
	}, []any{"", "/anonymous", 0}},
	{"volumes", `volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}}]`, func(v *conversion) any { return *v.host.Mounts[0].TmpfsOptions },
		mount.TmpfsOptions{SizeBytes: 1 << 20, Mode: 0o700}},
	{"volumes", `volumes: [{type: volume, source: data, target: /d, volume: {subpath: a}}]`, func(v *conversion) any { return v.needs },
		[]need{{"services.web.volumes[0].volume.subpath", "1.45"}}},
	{"working_dir", `working_dir: /srv`, func(v *conversion) any { return v.config.WorkingDir }, "/srv"},
}

func TestServiceBecomesAContainer(t *testing.T) {
	tried := map[string]bool{}
	for _, row := range conversionTests {
		tried[row.key] = true
		t.Run(row.yaml, func(t *testing.T) {
			v, err := convert(load(t, row.yaml, topLevel))
			if err != nil {
				t.Fatal(err)
			}
			if got := row.got(v); !sameValue(got, row.want) {
				t.Errorf("got  %#v\nwant %#v", got, row.want)
			}
		})
	}
	for _, key := range strings.Fields(carriedServiceKeys) {
		if !tried[key] {
			t.Errorf("no row shows that %s is carried over", key)
		}
	}
}

// sameValue lets a named map or slice type equal its plain form.
func sameValue(got, want any) bool {
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	if got != nil && want != nil && g.Type() != w.Type() && g.CanConvert(w.Type()) {
		got = g.Convert(w.Type()).Interface()
	}
	if list, ok := got.([]any); ok {
		wanted := want.([]any)
		for i := range list {
			if !sameValue(list[i], wanted[i]) {
				return false
			}
		}
		return len(list) == len(wanted)
	}
	return reflect.DeepEqual(got, want)
}

func TestWhatCannotBeCarriedOverIsNamed(t *testing.T) {
	for _, row := range []struct{ yaml, path string }{
		{`ports: ["80:8080"]`, "services.web.ports"},
		{`container_name: shop`, "services.web.container_name"},
		{`network_mode: host`, "services.web.network_mode"},
		{`mac_address: 02:00:00:00:00:01`, "services.web.mac_address"},
		{`links: [db]`, "services.web.links"},
		{`external_links: [a:b]`, "services.web.external_links"},
		{`blkio_config: {weight: 300}`, "services.web.blkio_config"},
		{`cpu_count: 2`, "services.web.cpu_count"},
		{`use_api_socket: true`, "services.web.use_api_socket"},
		{`post_start: [{command: a}]`, "services.web.post_start"},
		{`pre_stop: [{command: a}]`, "services.web.pre_stop"},
		{`pid: "container:x"`, "services.web.pid"},
		{`ipc: "container:x"`, "services.web.ipc"},
		{`scale: 2`, "services.web.scale"},
		{"deploy:\n  replicas: 3", "services.web.deploy.replicas"},
		{`secrets: [env]`, "services.web.secrets[0]"},
		{`secrets: [token, away]`, "services.web.secrets[1]"},
		{`configs: [text]`, "services.web.configs[0]"},
		{`networks: {back: {aliases: [web]}}`, "services.web.networks.back.aliases"},
		{`networks: {back: {ipv4_address: 10.0.0.1}}`, "services.web.networks.back.ipv4_address"},
		{`networks: {back: {interface_name: eth9}}`, "services.web.networks.back.interface_name"},
		{`volumes: ["/a:/a", {type: image, source: x, target: /x}]`, "services.web.volumes[1].type"},
		{`volumes: [{type: bind, source: /a, target: /a, bind: {recursive: disabled}}]`, "services.web.volumes[0].bind.recursive"},
		{`security_opt: [seccomp=absent.json]`, "services.web.security_opt[0]"},
	} {
		t.Run(row.yaml, func(t *testing.T) {
			var unsupported *UnsupportedError
			err := Check(load(t, row.yaml, topLevel))
			if !errors.As(err, &unsupported) || unsupported.Path != row.path || unsupported.Reason == "" {
				t.Errorf("got %v, want %s", err, row.path)
			}
		})
	}
}

func TestWhatDoesNotMatterIsLeftOut(t *testing.T) {
	if err := Check(load(t, "build: .\ndepends_on: {}\nprofiles: [x]\nx-bluegreen: {}\ndevelop: {}\npull_policy: always\n"+
		"deploy: {mode: replicated, replicas: 0, labels: {a: b}, update_config: {order: start-first}}\n", "")); err != nil {
		t.Error(err)
	}
}

func TestConfigHashFollowsWhatReachesTheContainer(t *testing.T) {
	hash := func(yaml string) string {
		t.Helper()
		service, project := load(t, yaml, topLevel)
		h, err := ConfigHash(service, project)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	plain := hash("working_dir: /")
	if len(plain) != len("sha256:")+64 || !strings.HasPrefix(plain, "sha256:") {
		t.Errorf("hash %q", plain)
	}
	for _, same := range []string{"working_dir: /\nx-bluegreen: {watch: 1s}", "working_dir: /\nbuild: .", "working_dir: /\nrestart: always"} {
		if hash(same) != plain {
			t.Errorf("%q changes the hash", same)
		}
	}
	for _, other := range []string{"working_dir: /a", "working_dir: /\nrestart: unless-stopped", "working_dir: /\nenv_file: vars.env", "working_dir: /\nlabels: {a: b}", "working_dir: /\nnetworks: [back]"} {
		if hash(other) == plain {
			t.Errorf("%q does not change the hash", other)
		}
	}
	service, project := load(t, "secrets: [token]", topLevel)
	before, err := ConfigHash(service, project)
	if err != nil {
		t.Fatal(err)
	}
	service.Image = "other"
	if after, _ := ConfigHash(service, project); after != before {
		t.Error("the image changes the hash")
	}
	if err := os.WriteFile(project.Secrets["token"].File, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if after, _ := ConfigHash(service, project); after == before {
		t.Error("a secret's content does not change the hash")
	}
	if err := os.Remove(project.Secrets["token"].File); err != nil {
		t.Fatal(err)
	}
	if _, err := ConfigHash(service, project); err != nil {
		t.Errorf("a secret that lies on the engine's host only: %v", err)
	}
}

func TestProfileAddsWhatIsItsOwn(t *testing.T) {
	service, project := load(t, "environment: {A: '1', PORT: '1'}\nlabels: {bluegreen.profile: theirs, a: b}", "")
	v, err := convert(service, project)
	if err != nil {
		t.Fatal(err)
	}
	made := ProfileSpec{
		Name: "shop-real1", Image: Image{ID: "sha256:1"}, NetworkID: "n1", NetworkName: "bluegreen", Address: "10.0.0.9",
		HostPort: 8081, ContainerPort: 8080,
		Env: map[string]string{"PORT": "8081"}, Labels: map[string]string{"bluegreen.profile": "real1"},
	}.creation(v)
	want := map[string]any{
		"image": "sha256:1", "env": []string{"A=1", "PORT=8081"}, "labels": map[string]string{"bluegreen.profile": "real1", "a": "b"},
		"ports": nat.PortMap{"8080/tcp": {{HostIP: "127.0.0.1", HostPort: "8081"}}}, "mode": container.NetworkMode("n1"),
	}
	got := map[string]any{
		"image": made.config.Image, "env": made.config.Env, "labels": made.config.Labels,
		"ports": made.host.PortBindings, "mode": made.host.NetworkMode,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if e := made.endpoint["bluegreen"]; len(made.endpoint) != 1 || e.IPAMConfig.IPv4Address != "10.0.0.9" || e.Aliases != nil {
		t.Errorf("endpoints %+v", made.endpoint)
	}
}

func TestRestartPolicyIsComposes(t *testing.T) {
	for yaml, want := range map[string]string{
		"working_dir: /":        "always",
		"restart: 'no'":         "no",
		"restart: on-failure:3": "on-failure:3",
		"deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}": "on-failure:2",
		"deploy: {restart_policy: {condition: any}}":                         "always",
		"deploy: {restart_policy: {condition: none}}":                        "no",
	} {
		service, project := load(t, yaml, "")
		if got := RestartPolicy(service); got != want {
			t.Errorf("%s: %s, want %s", yaml, got, want)
		}
		if err := Check(service, project); err != nil {
			t.Errorf("%s: %v", yaml, err)
		}
	}
	service, project := load(t, "restart: sometimes", "")
	if err := Check(service, project); err == nil || !strings.HasPrefix(err.Error(), "services.web.restart: ") {
		t.Errorf("an unknown policy: %v", err)
	}
}
