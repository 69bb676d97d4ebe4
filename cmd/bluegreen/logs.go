package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"bluegreen/config"
	"bluegreen/docker"
	"bluegreen/swap"
)

func (a *app) logsCommand() *cobra.Command {
	var profile string
	var o docker.LogOptions
	cmd := &cobra.Command{
		Use: "logs [SERVICE]", Short: "Show a profile's container log", GroupID: "main", Args: oneService,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.look(cmd.Context(), first(args), func(l look) error {
				seen, err := swap.Observe(cmd.Context(), l.world, l.service)
				if err != nil {
					return err
				}
				container, err := logOf(seen, profile)
				if err != nil {
					return err
				}
				return l.client.Logs(cmd.Context(), container.ID, o, a.stdout, a.stderr)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&profile, "profile", "", "which profile (default: the live one)")
	// -f means follow here, as in docker logs; --file keeps its long name.
	f.StringSliceVar(&a.files, "file", nil, "compose file (default: compose's own search)")
	f.BoolVarP(&o.Follow, "follow", "f", false, "go on as the app logs")
	f.IntVarP(&o.Tail, "tail", "n", 0, "only the last lines (0: all)")
	f.BoolVarP(&o.Timestamps, "timestamps", "t", false, "with the time of each line")
	f.StringVar(&o.Since, "since", "", "since a time (2006-01-02T15:04:05) or for a duration (10m)")
	return cmd
}

// logOf is the container whose log is meant: the live one's when no profile is named, and the failed one of
// a profile that has no other.
func logOf(o swap.Observation, profile string) (*docker.Container, error) {
	place, ok := o.Live()
	if profile != "" {
		place = o.Place(profile)
		if ok = place.Profile.Name != ""; !ok {
			return nil, &config.Error{
				Where: "--profile " + profile, What: "there is no such profile",
				Do: fmt.Sprintf("They are %s and %s.", o.Places[0].Profile.Name, o.Places[1].Profile.Name),
			}
		}
	}
	switch {
	case !ok:
		return nil, fmt.Errorf("no profile is live: name one with --profile")
	case place.Container != nil:
		return place.Container, nil
	case place.Failed != nil:
		return place.Failed, nil
	}
	return nil, fmt.Errorf("profile %s has no container", place.Profile.Name)
}
