package nginx

import (
	"context"
	"time"
)

// Confirmation is what proves that a reload took.
type Confirmation struct {
	Listener StatusListener
	Service  string
	Before   Workers // as they were before the reload
	Want     *Target // what new connections are to be answered; nil: not asked
	Deadline time.Duration
}

// Wait returns once it is proved; see Confirm.
func (c Confirmation) Wait(ctx context.Context, p Place) error {
	return Confirm(ctx, p, c.Listener, c.Before, c.Want, c.Deadline)
}

// ServiceDir holds a service's include, state and history, relative to Root.
func ServiceDir(service string) string { return "sites/" + service }
