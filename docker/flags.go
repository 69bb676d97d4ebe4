package docker

import (
	"fmt"
	"path/filepath"

	"github.com/docker/cli/cli/config"
	tlscontext "github.com/docker/cli/cli/context"
	endpoint "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/flags"
	"github.com/docker/cli/opts"
	"github.com/docker/go-connections/tlsconfig"
	"github.com/spf13/pflag"
)

// CommandFlags are the flags of the docker command itself: those between `docker` and the name of a plugin, which docker
// hands to the plugin as they were typed.
type CommandFlags struct {
	given *flags.ClientOptions
	set   *pflag.FlagSet
}

// Install adds the flags to a set that is not parsed yet.
func (f *CommandFlags) Install(set *pflag.FlagSet) {
	f.given, f.set = flags.NewClientOptions(), set
	f.given.InstallFlags(set)
}

// Debug says whether -D was given.
func (f *CommandFlags) Debug() bool { return f.given.Debug }

// Options are the engine that the parsed flags choose, as they do for docker itself; --config moves docker's
// configuration folder for the whole process. An error is wrong usage.
func (f *CommandFlags) Options() (Options, error) {
	f.given.SetDefaultOptions(f.set)
	if f.given.ConfigDir != "" {
		config.SetDir(f.given.ConfigDir)
	}
	o := Options{Context: f.given.Context, tls: f.given.TLSOptions}
	if len(f.given.Hosts) == 0 {
		return o, nil
	}
	host, err := opts.ParseHost(o.tls != nil, f.given.Hosts[0])
	if err != nil {
		return o, fmt.Errorf("--host %s: %w", f.given.Hosts[0], err)
	}
	o.Host = host
	return o, nil
}

// overTLS is an engine's place when flags of the docker command ask for TLS. They do not matter to an
// address that needs none, such as a local socket.
func overTLS(host string, o *tlsconfig.Options) (endpoint.Endpoint, error) {
	host, err := opts.ParseHost(true, host)
	if err != nil {
		return endpoint.Endpoint{}, &EndpointError{What: err.Error(), Do: place{}.mend(), Err: err}
	}
	data, err := tlscontext.TLSDataFromFiles(o.CAFile, o.CertFile, o.KeyFile)
	if err != nil {
		return endpoint.Endpoint{}, &EndpointError{What: fmt.Sprintf("read the certificates of the docker command's flags: %v", err), Do: "look at --tlscacert, --tlscert and --tlskey", Err: err}
	}
	return endpoint.Endpoint{EndpointMeta: endpoint.EndpointMeta{Host: host, SkipTLSVerify: o.InsecureSkipVerify}, TLSData: data}, nil
}

// PluginFolder is where docker looks for a person's own plugins: cli-plugins in DOCKER_CONFIG, else in ~/.docker.
func PluginFolder() string { return filepath.Join(config.Dir(), "cli-plugins") }
