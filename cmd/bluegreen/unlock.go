package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"bluegreen/swap"
)

func (a *app) unlockCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "unlock [SERVICE]", Short: "Break a lock, after showing who holds it", GroupID: "main", Args: oneService,
		Long: `Shows who holds the lock of a service, and breaks it when you say so. A run whose holder is gone, or that has not
renewed its lock for 45 seconds, needs no unlock: the next command breaks its lock by itself. A run that lives and
loses its lock notices, changes nothing more, and ends; the next command settles what it began.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.look(cmd.Context(), first(args), func(l look) error {
				locks, err := swap.Locks(cmd.Context(), l.world, l.service)
				if err != nil {
					return err
				}
				if err := a.allowed(cmd.Context(), cmd.InOrStdin(), l.service.Settings.Service, locks, yes); err != nil {
					return err
				}
				for _, lock := range locks {
					if err := swap.Unlock(cmd.Context(), l.world, l.service, lock); err != nil {
						return err
					}
				}
				return a.printUnlocked(l.service.Settings.Service, locks)
			})
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

// allowed shows the locks and makes sure that a person wants them broken.
func (a *app) allowed(ctx context.Context, in io.Reader, service string, locks []swap.Lock, yes bool) error {
	if len(locks) == 0 {
		return nil
	}
	for _, l := range locks {
		fmt.Fprintf(a.stderr, "%s: %s\n", l.Name, lockText(l.LockStatus))
	}
	if yes {
		return nil
	}
	agreed, err := a.agreed(ctx, in, "Break it?", "bluegreen unlock "+service+" --yes")
	if err == nil && !agreed {
		err = errors.New("not unlocked, as you say")
	}
	return err
}

// agreed asks a person. Where nobody can be asked, that is an error, which names the command that does not ask.
func (a *app) agreed(ctx context.Context, in io.Reader, question, unasked string) (bool, error) {
	if f, ok := in.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return false, fmt.Errorf("nobody can be asked here: when you are sure, run `%s`", unasked)
	}
	fmt.Fprintf(a.stderr, "%s [y/N] ", question)
	return answered(ctx, in)
}

// answered waits for a yes; anything else, also no answer at all, is a no. Ctrl-C ends the waiting.
func answered(ctx context.Context, in io.Reader) (bool, error) {
	type reading struct {
		line string
		err  error
	}
	read := make(chan reading, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		read <- reading{line, err}
	}()
	select {
	case r := <-read:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return false, r.err
		}
		answer := strings.ToLower(strings.TrimSpace(r.line))
		return answer == "y" || answer == "yes", nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return false, errors.New("the command's --timeout passed without an answer; nothing was changed")
		}
		return false, &swap.InterruptedError{What: "nothing was changed"}
	}
}

func (a *app) printUnlocked(service string, locks []swap.Lock) error {
	if a.output == "json" {
		if locks == nil {
			locks = []swap.Lock{}
		}
		return json.NewEncoder(a.stdout).Encode(map[string]any{"service": service, "broken": locks})
	}
	if len(locks) == 0 {
		fmt.Fprintf(a.stdout, "%s is not locked\n", service)
		return nil
	}
	fmt.Fprintf(a.stdout, "%s is unlocked; the next command settles what that run began\n", service)
	return nil
}
