package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/compose-spec/compose-go/v2/types"
)

// ComposeNetworks are the names of the compose networks that a service belongs on: those that exist, and those of
// them that compose makes by itself and has not made yet. A network that is asked for by name and does not exist is
// an error that wraps ErrNotFound.
func (c *Client) ComposeNetworks(ctx context.Context, service types.ServiceConfig, project *types.Project) (there, missing []string, err error) {
	v, err := convert(service, project)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range v.networks {
		switch _, err := c.networkID(ctx, a.Name); {
		case errors.Is(err, ErrNotFound) && a.Optional:
			missing = append(missing, a.Name)
		case errors.Is(err, ErrNotFound):
			return nil, nil, a.absent(err)
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", a.path, err)
		default:
			there = append(there, a.Name)
		}
	}
	return there, missing, nil
}

// absent is the error for a network that was asked for by name.
func (a attachment) absent(err error) error {
	return fmt.Errorf("%s: network %s does not exist: start the rest of the project first with docker compose up: %w", a.path, a.Name, err)
}
