package docker

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// conversion is what a compose service comes to, before anything that is the profile's own.
type conversion struct {
	service types.ServiceConfig
	project *types.Project
	path    string // of the service in the compose file, for errors

	config   *container.Config
	host     *container.HostConfig
	platform *ocispec.Platform
	networks []attachment
	volumes  []namedVolume
	files    []string // secrets and configs, on the host
	needs    []need
}

// need is a key that only newer engines honour; older ones would drop it in silence.
type need struct{ path, api string }

// convert turns a service into the container's configuration, or says what of it cannot be carried over.
func convert(service types.ServiceConfig, project *types.Project) (*conversion, error) {
	if project == nil {
		project = &types.Project{}
	}
	v := &conversion{service: service, project: project, path: "services." + service.Name}
	if err := serviceKeys.check(v.path, reflect.ValueOf(service)); err != nil {
		return nil, err
	}
	v.config, v.host = v.containerConfig(), v.hostConfig()
	v.resources()
	v.attachments()
	for _, part := range []func() error{v.expose, v.healthcheck, v.securityOptions, v.mounts, v.secrets, v.configs, v.restart} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *conversion) unsupported(key, reason string, args ...any) error {
	return &UnsupportedError{Path: v.path + "." + key, Reason: fmt.Sprintf(reason, args...)}
}

func (v *conversion) containerConfig() *container.Config {
	s := v.service
	config := &container.Config{
		Hostname: s.Hostname, Domainname: s.DomainName, User: s.User, WorkingDir: s.WorkingDir,
		Cmd: []string(s.Command), Entrypoint: []string(s.Entrypoint),
		Env: environment(s.Environment), Labels: ownLabels(s.Labels),
		OpenStdin: s.StdinOpen, Tty: s.Tty, StopSignal: s.StopSignal,
	}
	if s.StopGracePeriod != nil {
		seconds := int((time.Duration(*s.StopGracePeriod) + time.Second - 1) / time.Second)
		config.StopTimeout = &seconds
	}
	v.platform = platform(s.Platform)
	return config
}

func (v *conversion) hostConfig() *container.HostConfig {
	s := v.service
	host := &container.HostConfig{
		// The real policy is set once the release is healthy: until then the engine must not restart it.
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		Annotations:   s.Annotations, CapAdd: s.CapAdd, CapDrop: s.CapDrop, CgroupnsMode: container.CgroupnsMode(s.Cgroup),
		DNS: s.DNS, DNSOptions: s.DNSOpts, DNSSearch: s.DNSSearch,
		ExtraHosts: slices.Sorted(slices.Values(s.ExtraHosts.AsList(":"))),
		GroupAdd:   s.GroupAdd, Init: s.Init,
		IpcMode: container.IpcMode(s.Ipc), PidMode: container.PidMode(s.Pid), UTSMode: container.UTSMode(s.Uts),
		UsernsMode: container.UsernsMode(s.UserNSMode), OomScoreAdj: int(s.OomScoreAdj),
		Privileged: s.Privileged, ReadonlyRootfs: s.ReadOnly, Runtime: s.Runtime,
		ShmSize: int64(s.ShmSize), StorageOpt: s.StorageOpt, Sysctls: s.Sysctls,
	}
	if s.Logging != nil {
		host.LogConfig = container.LogConfig{Type: s.Logging.Driver, Config: s.Logging.Options}
	}
	for _, t := range s.Tmpfs {
		if host.Tmpfs == nil {
			host.Tmpfs = make(map[string]string)
		}
		target, options, _ := strings.Cut(t, ":")
		host.Tmpfs[target] = options
	}
	return host
}

// environment lists K=V, and K alone for a variable of the image that compose takes away.
func environment(vars types.MappingWithEquals) []string {
	var env []string
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		if value := vars[k]; value != nil {
			k += "=" + *value
		}
		env = append(env, k)
	}
	return env
}

// ownLabels are the service's without those by which compose would take the container for its own.
func ownLabels(all types.Labels) map[string]string {
	labels := make(map[string]string)
	for k, v := range all {
		if !strings.HasPrefix(k, "com.docker.compose.") {
			labels[k] = v
		}
	}
	return labels
}

// platform reads os[/arch[/variant]]; the engine completes what is left out.
func platform(name string) *ocispec.Platform {
	if name == "" {
		return nil
	}
	parts := append(strings.Split(strings.ToLower(name), "/"), "", "")
	return &ocispec.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
}

func (v *conversion) expose() error {
	for i, e := range v.service.Expose {
		proto, ports := nat.SplitProtoPort(e)
		start, end, err := nat.ParsePortRange(ports)
		if err != nil {
			return v.unsupported(fmt.Sprintf("expose[%d]", i), "%q is no port: %v", e, err)
		}
		if v.config.ExposedPorts == nil {
			v.config.ExposedPorts = nat.PortSet{}
		}
		for p := start; p <= end; p++ {
			v.config.ExposedPorts[nat.Port(fmt.Sprintf("%d/%s", p, proto))] = struct{}{}
		}
	}
	return nil
}

func (v *conversion) healthcheck() error {
	h := v.service.HealthCheck
	if h == nil {
		return nil
	}
	if h.Disable {
		v.config.Healthcheck = &container.HealthConfig{Test: []string{"NONE"}}
		return nil
	}
	v.config.Healthcheck = &container.HealthConfig{
		Test: h.Test, Interval: duration(h.Interval), Timeout: duration(h.Timeout),
		StartPeriod: duration(h.StartPeriod), StartInterval: duration(h.StartInterval),
	}
	if h.Retries != nil {
		v.config.Healthcheck.Retries = int(*h.Retries)
	}
	if h.StartInterval != nil {
		v.needs = append(v.needs, need{v.path + ".healthcheck.start_interval", "1.44"})
	}
	return nil
}

func duration(d *types.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(*d)
}

func (v *conversion) restart() error {
	if _, err := parsePolicy(RestartPolicy(v.service)); err != nil {
		return v.unsupported("restart", "%v", err)
	}
	return nil
}
