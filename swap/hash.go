package swap

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"bluegreen/config"
	"bluegreen/docker"
)

// hooksHash is a sum of what the hooks of a switch run, and where. They may hold secrets, and are kept nowhere.
func hooksHash(h config.Hooks) string {
	var b strings.Builder
	for _, one := range slices.Concat(h.PreSwitch, []config.Hook{{}}, h.PostSwitch) {
		fmt.Fprintf(&b, "%q %q %s\n", one.Script, one.Args, one.In)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(b.String())))
}

// configHash is the hash of all that reaches a profile's container besides the image: what compose says,
// and what bluegreen adds to it.
func configHash(s *config.Service) (string, error) {
	compose, err := docker.ConfigHash(s.Compose, s.ProjectDef)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal([]any{compose, s.Settings.Profiles, s.Settings.ContainerPort, s.ProfileEnv, s.PortEnv})
	if err != nil {
		return "", fmt.Errorf("hash the configuration: %w", err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
