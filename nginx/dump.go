package nginx

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Dump is nginx's whole configuration as nginx itself reads it: the main file, and every file that is included.
type Dump struct {
	Conf       string   // path of the main file; "" when nginx was not told one
	Files      []string // paths, the main file first
	Directives []Directive
}

// fileLine begins each file in what `nginx -T` prints.
const fileLine = "# configuration file "

// ReadDump asks nginx for the configuration in the file conf ("": nginx's own default). A *TestError when nginx
// refuses it.
func ReadDump(ctx context.Context, p Place, conf string) (Dump, error) {
	command := []string{"nginx", "-T"}
	if conf != "" {
		command = append(command, "-c", conf)
	}
	r, err := p.Run(ctx, command)
	switch {
	case err != nil:
		return Dump{}, fmt.Errorf("ask nginx for its configuration: %w", err)
	case notRunnable(r.ExitCode):
		return Dump{}, fmt.Errorf("ask nginx for its configuration: no nginx there: %s", r.output())
	case r.ExitCode != 0:
		return Dump{}, &TestError{Output: strings.TrimSpace(r.Stderr)}
	}
	d := parseDump(r.Stdout)
	d.Conf = conf
	return d, nil
}

func parseDump(text string) (d Dump) {
	var file string
	var body strings.Builder
	flush := func() {
		if file != "" {
			d.Directives = append(d.Directives, parseFile(file, body.String())...)
		}
		body.Reset()
	}
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, fileLine); ok {
			if name, ok = strings.CutSuffix(strings.TrimSpace(name), ":"); ok {
				flush()
				file = name
				d.Files = append(d.Files, file)
				continue
			}
		}
		body.WriteString(line)
	}
	flush()
	return d
}

// Reads says whether a file is part of the configuration.
func (d Dump) Reads(file string) bool { return slices.Contains(d.Files, path.Clean(file)) }

// KeepaliveMinTimeout says whether the configuration sets keepalive_min_timeout for all its servers, and where it is
// set to nothing.
func (d Dump) KeepaliveMinTimeout() (set bool, zero []Directive) {
	for _, x := range d.Directives {
		if x.Name != "keepalive_min_timeout" || len(x.Args) == 0 {
			continue
		}
		if strings.Trim(x.Args[0], "0smhdwMy ") == "" {
			zero = append(zero, x)
		}
		// A file without blocks around its directives is included, and nothing but http can include this one
		// for all servers.
		if len(x.In) == 0 || slices.Equal(x.In, []string{"http"}) {
			set = true
		}
	}
	return set, zero
}

// ConfigFile is the configuration file that a running master was told, read from its title; "" when none.
func ConfigFile(masterTitle string) string { return startedWith(masterTitle, "-c") }

// Prefix is the prefix (-p) that a running master was told, read from its title; "" when none.
func Prefix(masterTitle string) string { return startedWith(masterTitle, "-p") }

func startedWith(masterTitle, flag string) string {
	words := strings.Fields(masterTitle)
	for i, w := range words {
		if w == flag && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// IsMaster says whether a process's title is that of nginx's master.
func IsMaster(title string) bool { return strings.HasPrefix(title, masterTitle) }
