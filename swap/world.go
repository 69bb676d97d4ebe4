package swap

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"bluegreen/docker"
	"bluegreen/health"
	"bluegreen/hook"
	"bluegreen/nginx"
)

// World is everything outside the process, one function each, so that a test can make exactly one of
// them fail. RealWorld fills it with the real thing.
type World struct {
	Image func(ctx context.Context, ref string) (docker.Image, error)
	Pull  func(ctx context.Context, ref, platform string, progress func(docker.PullProgress)) (docker.Image, error)
	// Remote asks a registry what a reference names there; HostPlatform is the engine's own, os/arch.
	Remote       func(ctx context.Context, ref string) (docker.Remote, error)
	HostPlatform func(ctx context.Context) (string, error)

	Containers       func(ctx context.Context, labels map[string]string) ([]docker.Container, error)
	Container        func(ctx context.Context, nameOrID string) (docker.Container, error)
	CreateProfile    func(ctx context.Context, s docker.ProfileSpec) (string, error)
	Recreate         func(ctx context.Context, id string) (string, error)
	Start            func(ctx context.Context, id string) error
	Stop             func(ctx context.Context, id string) error
	Rename           func(ctx context.Context, id, name string) error
	Remove           func(ctx context.Context, id string) error
	SetRestartPolicy func(ctx context.Context, id, policy string) error
	Wait             func(ctx context.Context, id string) <-chan docker.Exit
	Logs             func(ctx context.Context, id string, o docker.LogOptions, stdout, stderr io.Writer) error
	PortHolder       func(ctx context.Context, port int) (docker.Container, bool, error)
	ComposeNetworks  func(ctx context.Context, service types.ServiceConfig, project *types.Project) (there, missing []string, err error)

	Network       func(ctx context.Context, name string) (docker.Network, error)
	CreateNetwork func(ctx context.Context, name, subnet string, labels map[string]string) (docker.Network, error)
	RemoveNetwork func(ctx context.Context, id string) error
	Connect       func(ctx context.Context, networkID, containerID, address string) error
	Disconnect    func(ctx context.Context, networkID, containerID string) error

	CreateVolume func(ctx context.Context, name string, labels map[string]string) error
	VolumeExists func(ctx context.Context, name string) (bool, error)
	RemoveVolume func(ctx context.Context, name string) error
	ReadTree     func(ctx context.Context, id, path string) (map[string][]byte, error)
	ReadVolume   func(ctx context.Context, volume string, labels map[string]string) (map[string][]byte, error)
	WriteFiles   func(ctx context.Context, id, folder string, files []docker.ArchiveFile) error

	CreateNginx  func(ctx context.Context, s docker.NginxSpec) (string, error)
	NginxVersion func(ctx context.Context, p nginx.Place) (string, error)
	Apply        func(ctx context.Context, p nginx.Place, c nginx.Change) error
	Store        func(ctx context.Context, p nginx.Place, service, run string, files []nginx.Stored) error
	Workers      func(ctx context.Context, p nginx.Place) (nginx.Workers, error)
	Confirm      func(ctx context.Context, p nginx.Place, c nginx.Confirmation) error
	Ask          func(ctx context.Context, l nginx.StatusListener, service string) (nginx.Target, error)
	Drain        func(ctx context.Context, p nginx.Place, deadline time.Duration, progress func(int, time.Duration)) error
	Exec         func(ctx context.Context, id string, cmd []string) (docker.ExecResult, error)
	RunOnce      func(ctx context.Context, o docker.OneShot) (docker.ExecResult, error)
	RunHook      func(ctx context.Context, c hook.Command) error // on this machine
	RunTask      func(ctx context.Context, t docker.Task) (code int, err error)
	Top          func(ctx context.Context, id string) ([]docker.Process, error)

	TakeLock        func(ctx context.Context, name string, labels map[string]string) (string, error)
	RenewLock       func(ctx context.Context, id string) error
	LockLease       func(ctx context.Context, lock docker.Container) (docker.Lease, error)
	RemoveLockImage func(ctx context.Context) error
	HolderGone      func(labels map[string]string) bool

	Probe func(ctx context.Context, p health.Probe) (string, error)
	// Leaf is the certificate that a server at HOST:PORT shows for a name; dial nil: this machine makes the connection.
	Leaf           func(ctx context.Context, dial health.Dial, at, name string) ([]byte, error)
	SharesLoopback func() bool                                                            // the Docker host's loopback is this machine's
	HostName       func() string                                                          // of the Docker host, as it is reached from here; nil: this machine
	Dial           func(ctx context.Context, container, address string) (net.Conn, error) // from inside a container

	// What only Diagnose asks.
	Engine       func(ctx context.Context) (docker.Engine, error)
	NetworksLike func(ctx context.Context, prefix string) ([]docker.Network, error)
	Ages         func(ctx context.Context, id string) ([]docker.Aged, error)
	WatchIdle    func(ctx context.Context, p health.Probe, watch time.Duration) (health.Idle, error)
}

// RealWorld reaches the engine through c.
func RealWorld(c *docker.Client) World {
	return World{
		Image: c.Image, Pull: c.Pull, Remote: c.Remote, HostPlatform: c.HostPlatform,
		Containers: c.Containers, Container: c.Container, CreateProfile: c.CreateProfile, Recreate: c.Recreate,
		Start: c.Start, Stop: c.Stop, Rename: c.Rename, Remove: c.Remove, SetRestartPolicy: c.SetRestartPolicy,
		Wait: c.Wait, Logs: c.Logs, PortHolder: c.PortHolder, ComposeNetworks: c.ComposeNetworks,
		Network: c.Network, CreateNetwork: c.CreateNetwork, RemoveNetwork: c.RemoveNetwork,
		Connect: c.Connect, Disconnect: c.Disconnect,
		CreateVolume: c.CreateVolume, VolumeExists: c.VolumeExists, RemoveVolume: c.RemoveVolume,
		ReadTree: func(ctx context.Context, id, path string) (map[string][]byte, error) {
			return withoutSecrets(c.ReadTree(ctx, id, path))
		}, ReadVolume: func(ctx context.Context, volume string, labels map[string]string) (map[string][]byte, error) {
			return withoutSecrets(c.ReadVolume(ctx, volume, labels))
		}, WriteFiles: c.WriteFiles,
		CreateNginx: c.CreateNginx, NginxVersion: nginx.Version, Apply: nginx.Apply, Store: nginx.Store, Workers: nginx.ReadWorkers,
		Confirm: nginx.Confirm, Ask: func(ctx context.Context, l nginx.StatusListener, service string) (nginx.Target, error) {
			return l.Ask(ctx, service)
		}, Drain: nginx.Drain, Exec: c.Exec, RunOnce: c.RunOnce, RunTask: c.RunTask, RunHook: func(ctx context.Context, h hook.Command) error { return h.Run(ctx) }, Top: c.Top,
		TakeLock: c.TakeLock, RenewLock: c.RenewLock, LockLease: c.LockLease, RemoveLockImage: c.RemoveLockImage, HolderGone: holderGone,
		Probe: func(ctx context.Context, p health.Probe) (string, error) { return p.Get(ctx) }, Leaf: health.Leaf,
		SharesLoopback: c.SharesLoopback, HostName: c.HostName, Dial: c.Dial, Engine: c.Engine, NetworksLike: c.NetworksLike, Ages: c.Ages,
		WatchIdle: func(ctx context.Context, p health.Probe, watch time.Duration) (health.Idle, error) {
			return p.WatchIdle(ctx, watch)
		},
	}
}
