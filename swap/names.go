package swap

import (
	"crypto/rand"
	"encoding/hex"
)

// Labels of everything bluegreen creates.
const (
	LabelRole          = "bluegreen.role"    // profile, nginx, network, volume, lock, one-shot
	LabelNetwork       = "bluegreen.network" // which bluegreen network, and with it which nginx, it belongs to
	LabelService       = "bluegreen.service"
	LabelProject       = "bluegreen.project"
	LabelProfile       = "bluegreen.profile"
	LabelRelease       = "bluegreen.release"
	LabelConfigHash    = "bluegreen.config-hash"
	LabelImage         = "bluegreen.image"
	LabelDigest        = "bluegreen.digest" // of the image's manifest in its registry; none when it came from none
	LabelRun           = "bluegreen.run"
	LabelAddress       = "bluegreen.address"        // fixed address on the network
	LabelContainerPort = "bluegreen.container-port" // where the app listens
	LabelPort          = "bluegreen.port"           // published on loopback
	LabelHealth        = "bluegreen.health"         // how it proves that it is ready
	LabelRestart       = "bluegreen.restart"        // restart policy once healthy
	LabelHost          = "bluegreen.host"           // nginx: the host keys it was made with
	LabelNginxVersion  = "bluegreen.nginx-version"
	LabelSubnet        = "bluegreen.subnet" // nginx: the network's, when it was made
)

// Values of LabelRole.
const (
	RoleProfile = "profile"
	RoleNginx   = "nginx"
	RoleLock    = "lock"
	RoleOneShot = "one-shot"
)

// names are the names of what one Docker host has once. They begin with the network's name, so that a
// second network is a second, independent nginx.
type names struct{ network, nginx, volume, lock string }

func namesFor(network string) names {
	return names{network: network, nginx: network + "-nginx", volume: network + "-nginx", lock: network + "-host-lock"}
}

// NginxName is the container of a network's nginx.
func NginxName(network string) string { return namesFor(network).nginx }

// containerName is a profile's container; PrevName and FailedName are what it is renamed to when a
// newer release takes its place, and when it did not become live.
func containerName(service, profile string) string { return service + "-" + profile }
func prevName(service, profile string) string      { return containerName(service, profile) + "-prev" }
func failedName(service, profile string) string    { return containerName(service, profile) + "-failed" }
func lockName(service string) string               { return service + "-lock" }

// newRunID is short enough to read and long enough not to meet another on one host.
func newRunID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}
