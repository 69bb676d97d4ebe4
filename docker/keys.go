package docker

import (
	"fmt"
	"strings"
)

// keys says what becomes of each key of a compose mapping. A key that is not listed is refused when it is set: what
// compose learns tomorrow must not be dropped in silence today.
type keys map[string]handling

// handling is what becomes of one key; the zero value carries it over, or knows that it does not matter.
type handling struct {
	refuse string           // why it cannot be carried over
	accept func(any) string // for keys of which only some values can be: why not this one, else ""
	inside keys             // the keys of the mapping (or of each mapping in the list) below it
}

// with makes a table of keys that are carried over as they are, keys that change nothing, and special ones.
func with(carried, ignored string, special keys) keys {
	all := keys{}
	for _, name := range strings.Fields(carried + " " + ignored) {
		all[name] = handling{}
	}
	for name, h := range special {
		all[name] = h
	}
	return all
}

const (
	carriedServiceKeys = `
		annotations cap_add cap_drop cgroup cgroup_parent command cpu_period cpu_quota
		cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset device_cgroup_rules dns dns_opt dns_search domainname
		entrypoint environment expose extra_hosts group_add hostname init labels mem_limit mem_reservation
		mem_swappiness memswap_limit oom_kill_disable oom_score_adj pids_limit platform privileged read_only
		restart runtime security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs
		tty user userns_mode uts working_dir`

	// What compose-go has resolved into other keys, what concerns building, pulling and compose's own way of
	// starting things.
	ignoredServiceKeys = `
		attach build depends_on develop dockerfile env_file extends image label_file name profiles
		pull_policy pull_refresh_after`

	noHooks     = "bluegreen does not run compose's hooks"
	sharedAlias = "both profiles would answer to it; the live one is reached through nginx, a profile by its container name"
	oneAddress  = "the two profiles cannot both have it"
)

var serviceKeys = with(carriedServiceKeys, ignoredServiceKeys, keys{
	"ports": {refuse: "nginx publishes the service, and two containers cannot take one host port: " +
		"name the port the app listens on with expose or x-bluegreen.container_port"},
	"container_name": {refuse: "the containers are named after the service and its profiles"},
	"network_mode":   {refuse: "profiles are on bluegreen's network, under fixed addresses; use networks for others"},
	"links":          {refuse: "use networks: containers on one network find each other by service name"},
	"external_links": {refuse: "use networks: containers on one network find each other by name"},
	"mac_address":    {refuse: oneAddress},
	"volumes_from":   {refuse: "name the volumes themselves in volumes"},
	"pre_start":      {refuse: noHooks},
	"post_start":     {refuse: noHooks},
	"pre_stop":       {refuse: noHooks},
	"pid":            {accept: ownNamespace},
	"ipc":            {accept: ownNamespace},
	"scale":          {accept: atMostOne},
	"configs":        {inside: fileKeys},
	"secrets":        {inside: fileKeys},
	"deploy":         {inside: deployKeys},
	"devices":        {inside: deviceKeys},
	"gpus":           {inside: deviceRequestKeys},
	"healthcheck":    {inside: with("test timeout interval retries start_period start_interval disable", "", nil)},
	"logging":        {inside: with("driver options", "", nil)},
	"networks":       {inside: networkKeys},
	"ulimits":        {inside: with("single soft hard", "", nil)},
	"volumes":        {inside: volumeKeys},
})

// fileKeys are a secret's or a config's. Owner and mode are those of the file on the host, as with compose.
var fileKeys = with("source target", "uid gid mode", nil)

var deviceKeys = with("target permissions", "", keys{"source": {accept: deviceFile}})

var deviceRequestKeys = with("capabilities driver count device_ids options", "", nil)

var networkKeys = with("driver_opts priority", "use_service_name_alias", keys{
	"aliases":        {refuse: sharedAlias},
	"ipv4_address":   {refuse: oneAddress},
	"ipv6_address":   {refuse: oneAddress},
	"link_local_ips": {refuse: oneAddress},
	"mac_address":    {refuse: oneAddress},
})

var volumeKeys = with("source target read_only", "consistency", keys{
	"type":   {accept: mountType},
	"bind":   {inside: with("selinux propagation create_host_path", "", nil)},
	"volume": {inside: with("labels nocopy subpath", "", nil)},
	"tmpfs":  {inside: with("size mode", "", nil)},
})

// deployKeys: compose itself does nothing with what only a swarm can do.
var deployKeys = with("restart_policy", "mode labels update_config rollback_config placement endpoint_mode", keys{
	"replicas": {accept: atMostOne},
	"resources": {inside: keys{
		"limits":       {inside: with("cpus memory pids", "generic_resources devices", nil)},
		"reservations": {inside: with("memory", "cpus pids generic_resources", keys{"devices": {inside: deviceRequestKeys}})},
	}},
})

func ownNamespace(v any) string {
	s := v.(string)
	if strings.HasPrefix(s, "service:") || strings.HasPrefix(s, "container:") {
		return "the namespace of another container ends with that container; only host and the engine's own modes are carried over"
	}
	return ""
}

func atMostOne(v any) string {
	if n := *v.(*int); n > 1 {
		return fmt.Sprintf("%d of them: a profile is one container", n)
	}
	return ""
}

func deviceFile(v any) string {
	if !strings.HasPrefix(v.(string), "/") {
		return "only devices under a path are carried over"
	}
	return ""
}

func mountType(v any) string {
	switch v.(string) {
	case "bind", "volume", "tmpfs":
		return ""
	default:
		return "only bind, volume and tmpfs are carried over"
	}
}
