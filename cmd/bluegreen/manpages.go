//go:build manpages

package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// What writes the man pages is of use only to who makes a release, so the binary of a release does not have it.

func init() { forReleases = append(forReleases, (*app).manpagesCommand) }

// manpagesMore is what bluegreen(1) has beside what `bluegreen --help` says, as markdown.
//
//go:embed manpages.md
var manpagesMore []byte

func (a *app) manpagesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "manpages FOLDER", Hidden: true, Args: cobra.ExactArgs(1),
		Short: "Write the man pages, dated by SOURCE_DATE_EPOCH, into a folder",
		RunE: func(cmd *cobra.Command, args []string) error {
			seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
			if err != nil {
				return fmt.Errorf("SOURCE_DATE_EPOCH is not a time in seconds: %w", err)
			}
			return writePages(cmd.Root(), args[0], time.Unix(seconds, 0).UTC())
		},
	}
}

// writePages writes the page of a command and of all below it that a person sees.
func writePages(cmd *cobra.Command, folder string, date time.Time) error {
	page, err := pageOf(cmd, date)
	if err != nil {
		return fmt.Errorf("man page of %q: %w", cmd.CommandPath(), err)
	}
	errs := []error{os.WriteFile(filepath.Join(folder, pageName(cmd)+".1"), page, 0o644)}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			errs = append(errs, writePages(c, folder, date))
		}
	}
	return errors.Join(errs...)
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func pageOf(cmd *cobra.Command, date time.Time) ([]byte, error) {
	cmd.InitDefaultHelpFlag()
	cmd.DisableAutoGenTag = true // it would be dated by the clock
	long := cmd.Long
	defer func() { cmd.Long = long }()
	if cmd.Long == about+"\n\n"+aboutAll {
		cmd.Long = about // sections of their own have the rest
	}
	var b bytes.Buffer
	err := doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Date: &date, Source: "bluegreen " + version, Manual: "bluegreen"}, &b)
	if err != nil {
		return nil, err
	}
	page := withOptions(b.Bytes(), cmd)
	page = bytes.Replace(page, []byte(".SH OPTIONS INHERITED FROM PARENT COMMANDS"), []byte(".SH OPTIONS OF EVERY COMMAND"), 1)
	if cmd.HasAvailableSubCommands() {
		page = bytes.Replace(page, []byte(cmd.UseLine()), []byte(cmd.CommandPath()+" [COMMAND] [flags]"), 1)
	}
	if !cmd.HasParent() {
		_, more, _ := bytes.Cut(md2man.Render(manpagesMore), []byte(".SH ")) // before it stands a title
		page = bytes.Replace(page, []byte(".SH EXAMPLE\n"), []byte(".SH "+string(more)+".SH EXAMPLE\n"), 1)
	}
	return page, nil
}

// option is a flag as cobra writes it: its line ends with the default as Go prints it, a tab and a paragraph stand for a list.
var option = regexp.MustCompile(`(?m)^(?:\.PP\n)?((?:\\fB-\w\\fP, )?\\fB--([a-z0-9-]+)\\fP).*\n\t`)

// withOptions makes a list of the flags, and says of each what kind of value it takes and its default, as `--help` does.
func withOptions(page []byte, cmd *cobra.Command) []byte {
	return option.ReplaceAllFunc(page, func(text []byte) []byte {
		m := option.FindSubmatch(text)
		f := cmd.Flag(string(m[2]))
		if f == nil {
			return text
		}
		line := ".TP\n" + string(m[1])
		if kind, _ := pflag.UnquoteUsage(f); kind != "" {
			line += ` \fI` + cmp.Or(kinds[kind], kind) + `\fP`
		}
		if f.Value.Type() != "bool" && !slices.Contains([]string{"", "[]", "0", "0s"}, f.DefValue) {
			line += " (default " + strings.ReplaceAll(f.DefValue, "-", `\-`) + ")"
		}
		return []byte(line + "\n")
	})
}

// kinds are words for kinds of values that pflag calls otherwise.
var kinds = map[string]string{"int": "number", "strings": "string", "stringArray": "string"}
