package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"bluegreen/config"
	"bluegreen/swap"
)

func (a *app) doctorCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use: "doctor [SERVICE]", Short: "Find all that would make a swap lose requests or fail, with the remedy for each", GroupID: "main", Args: oneService,
		Long: `Looks for all that would make a swap of the service lose requests or fail, and says what to do about each.
It takes no lock and changes nothing; a release that is live keeps serving. What cannot be looked at is
skipped, and the reason is said.

A problem makes a swap lose requests or fail, or the service is down already. A warning may do so one day.
Exit codes: 0 no problem (there may be warnings), 1 a problem (with --strict also a warning), 2 wrong usage or
configuration, 5 the Docker host cannot be reached.`,
		Example: `  bluegreen doctor
  bluegreen doctor --strict -q     # in CI: silent and exit 0 when all is well
  bluegreen doctor shop -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.look(cmd.Context(), first(args), func(l look) error {
				a.readSite(cmd.Context(), l.service)
				d, err := swap.Diagnose(cmd.Context(), l.world, l.service)
				if err != nil {
					return err
				}
				if err := a.printDiagnosis(d); err != nil {
					return err
				}
				err = d.Err(strict)
				a.reported = err != nil
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "a warning counts as a problem")
	return cmd
}

// readSite finds out what is to be said of the files of a service's site, which a look at the host does without: why a deploy
// would not take them, and who may read them.
func (a *app) readSite(ctx context.Context, s *config.Service) {
	if s.File == "" || slices.Contains(a.files, "-") { // standard input cannot be read twice
		return
	}
	read, err := a.load(ctx, config.Options{Service: s.Settings.Service, NoDeploy: true, SiteFiles: true})
	if s.Refused = err; err == nil {
		s.Exposed = read.Exposed
	}
}

func (a *app) printDiagnosis(d swap.Diagnosis) error {
	if a.output == "json" {
		return json.NewEncoder(a.stdout).Encode(d)
	}
	for _, level := range []swap.Level{swap.LevelProblem, swap.LevelWarning} {
		for _, c := range d.At(level) {
			printFinding(a.voice(a.stdout), c)
		}
	}
	if !a.quiet {
		fmt.Fprintln(a.stdout, verdict(d))
	}
	return nil
}

func printFinding(w io.Writer, c swap.Check) {
	fmt.Fprintf(w, "%s: %s: %s\n", c.Level, c.Name, indent(printable(c.What)))
	fmt.Fprintf(w, "  remedy: %s\n", indent(printable(c.Do)))
}

// verdict is one line: how many checks were well, and what could not be looked at.
func verdict(d swap.Diagnosis) string {
	text := fmt.Sprintf("%s: %s, %s, %s well", d.Service, counted(len(d.At(swap.LevelProblem)), "problem"),
		counted(len(d.At(swap.LevelWarning)), "warning"), counted(len(d.At(swap.LevelOK)), "check"))
	var skipped []string
	for _, c := range d.At(swap.LevelSkipped) {
		skipped = append(skipped, fmt.Sprintf("%s (%s)", c.Name, dash(c.What)))
	}
	if len(skipped) == 0 {
		return text
	}
	return text + "; skipped: " + strings.Join(skipped, ", ")
}
