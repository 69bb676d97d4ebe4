package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// preflightHold is how long Preflight keeps a stream or a websocket.
const preflightHold = time.Second

// Preflight sends each request of a mix once, and does once what each of the clients would do. The error says what came
// instead of a good answer, or what cannot be sent at all.
func Preflight(ctx context.Context, cfg Config, clients ...ClientsConfig) error {
	cfg = cfg.withDefaults()
	cfg.Rate, cfg.Period, cfg.Each, cfg.Timeline = 0, 0, nil, nil
	cfg.Connections, cfg.MaxRequests = 1, 1
	for _, r := range cfg.Mix {
		cfg := cfg
		cfg.Mix = []Request{r}
		if err := cfg.tryOnce(ctx, r); err != nil {
			return fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
	}
	for _, c := range clients {
		c = c.withDefaults()
		c.Hold = min(c.Hold, preflightHold)
		if err := c.tryOnce(ctx); err != nil {
			return fmt.Errorf("%s GET %s: %w", c.Kind, c.Path, err)
		}
	}
	return nil
}

func (c Config) tryOnce(ctx context.Context, r Request) error {
	if err := r.valid(); err != nil {
		return err
	}
	if _, err := http.NewRequest(r.Method, "http://"+c.Host+r.Path, nil); err != nil {
		return fmt.Errorf("cannot be sent: %w", err)
	}
	report := Start(ctx, c).Wait()
	switch {
	case len(report.FirstLost) > 0:
		lost := report.FirstLost[0]
		return fmt.Errorf("%s: %s", lost.Outcome, lost.Error)
	case report.OK == 0:
		return errors.Join(ctx.Err(), errors.New("not sent"))
	}
	return nil
}

// valid says what would not be one request.
func (r Request) valid() error {
	for _, char := range r.Path {
		if char <= ' ' || char == 0x7f {
			return fmt.Errorf("path has the character %q", char)
		}
	}
	switch {
	case !strings.HasPrefix(r.Path, "/"):
		return errors.New("path does not begin with a slash")
	case strings.Contains(r.Path, "#"):
		return errors.New("path has a #, which is never sent")
	case r.Share < 0:
		return fmt.Errorf("share is %g", r.Share)
	}
	return nil
}

func (c ClientsConfig) tryOnce(ctx context.Context) error {
	if err := (Request{Path: c.Path}).valid(); err != nil {
		return err
	}
	outcome, err := c.once(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if outcome != OK {
		return fmt.Errorf("%s: %w", outcome, err)
	}
	return nil
}
