package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"bluegreen/swap"
)

func (a *app) historyCommand() *cobra.Command {
	var last int
	cmd := &cobra.Command{
		Use: "history [SERVICE]", Short: "Show releases, swaps and failures: when, who, how long", GroupID: "main", Args: oneService,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.look(cmd.Context(), first(args), func(l look) error {
				list, err := swap.History(cmd.Context(), l.world, l.service)
				if err != nil {
					return err
				}
				if last > 0 && len(list) > last {
					list = list[len(list)-last:]
				}
				return a.printHistory(list)
			})
		},
	}
	cmd.Flags().IntVarP(&last, "last", "n", 20, "how many lines, the newest last (0: all)")
	return cmd
}

func (a *app) printHistory(list []swap.Record) error {
	if a.output == "json" {
		e := json.NewEncoder(a.stdout)
		for _, r := range list {
			if err := e.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "STARTED\tCOMMAND\tOUTCOME\tRELEASE\tIMAGE\tPROFILE\tWHO\tSWITCH\tTOOK\tERROR")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", swap.Moment(started(r)), dash(string(r.Command)), r.Outcome,
			releaseColumn(r), dash(r.Image), dash(r.Profile), who(r), milliseconds(r.SwitchMS), milliseconds(r.MS), a.errorColumn(r.Error))
	}
	return w.Flush()
}

// started is when a run began; when that is not known, when it was noticed.
func started(r swap.Record) time.Time {
	if r.Started.IsZero() {
		return r.Time
	}
	return r.Started
}

// releaseColumn is the release that was live at the end, and the one that was switched back from.
func releaseColumn(r swap.Record) string {
	if r.Outcome == swap.RolledBack && r.Command != swap.Rollback && r.From > 0 {
		return fmt.Sprintf("%d (not %d)", r.Release, r.From)
	}
	return number(r.Release)
}

func who(r swap.Record) string {
	if r.Who == "" {
		return "-"
	}
	return r.Who + "@" + r.Where
}

// errorColumn is whole in a pipe; on a terminal it leaves the table a table.
func (a *app) errorColumn(text string) string {
	if a.terminal() != nil {
		return cut(dash(text), 40)
	}
	return dash(text)
}

func milliseconds(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return short(time.Duration(ms) * time.Millisecond)
}
