package docker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// securityOptions carries security_opt over as docker and compose understand it: the engine wants the text of a
// seccomp profile, not its file name, and knows systempaths only as the lists it stands for.
func (v *conversion) securityOptions() error {
	for i, option := range v.service.SecurityOpt {
		name, value, _ := strings.Cut(strings.Replace(option, ":", "=", 1), "=")
		switch {
		case option == "systempaths=unconfined":
			v.host.MaskedPaths, v.host.ReadonlyPaths = []string{}, []string{}
			continue
		case name == "seccomp" && value != "unconfined" && value != "builtin":
			profile, err := v.seccompProfile(value)
			if err != nil {
				return v.unsupported(fmt.Sprintf("security_opt[%d]", i), "%v", err)
			}
			option = "seccomp=" + profile
		}
		v.host.SecurityOpt = append(v.host.SecurityOpt, option)
	}
	return nil
}

func (v *conversion) seccompProfile(file string) (string, error) {
	text, err := os.ReadFile(v.project.RelativePath(file))
	if err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return "", fmt.Errorf("seccomp profile %s: %w", file, err)
	}
	return compact.String(), nil
}
