package docker

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
)

// RestartPolicy is the policy compose asks for, else "always": an engine that comes back after its own crash takes every
// container that it finds alive, and has to stop for that, as stopped by hand (20.10), and "unless-stopped" would leave it down.
func RestartPolicy(service types.ServiceConfig) string {
	if service.Restart != "" {
		return service.Restart
	}
	if service.Deploy == nil || service.Deploy.RestartPolicy == nil {
		return types.RestartPolicyAlways
	}
	asked := service.Deploy.RestartPolicy
	switch asked.Condition {
	case "none":
		return types.RestartPolicyNo
	case types.RestartPolicyOnFailure:
		if asked.MaxAttempts != nil {
			return fmt.Sprintf("%s:%d", types.RestartPolicyOnFailure, *asked.MaxAttempts)
		}
		return types.RestartPolicyOnFailure
	case "", "any":
		return types.RestartPolicyAlways
	default:
		return asked.Condition
	}
}

// SetRestartPolicy updates a container's restart policy ("no", "always", "unless-stopped", "on-failure[:N]").
func (c *Client) SetRestartPolicy(ctx context.Context, id, policy string) error {
	parsed, err := parsePolicy(policy)
	if err != nil {
		return err
	}
	_, err = c.api.ContainerUpdate(ctx, id, container.UpdateConfig{RestartPolicy: parsed})
	return c.explain(err, "set restart policy %s of container %s", policy, id)
}

func parsePolicy(policy string) (container.RestartPolicy, error) {
	name, count, counted := strings.Cut(policy, ":")
	p := container.RestartPolicy{Name: container.RestartPolicyMode(name)}
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil {
			return p, fmt.Errorf("restart policy %q: %q is not a number of tries", policy, count)
		}
		p.MaximumRetryCount = n
	}
	if name == "" {
		return p, fmt.Errorf("restart policy %q: has no name", policy)
	}
	return p, container.ValidateRestartPolicy(p)
}

func formatPolicy(p container.RestartPolicy) string {
	switch {
	case p.Name == "":
		return string(container.RestartPolicyDisabled)
	case p.MaximumRetryCount > 0:
		return fmt.Sprintf("%s:%d", p.Name, p.MaximumRetryCount)
	default:
		return string(p.Name)
	}
}
