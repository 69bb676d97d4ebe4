package pages

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notRun are the blocks of the documentation that are only read, by page and first line; the page has the reason. A block
// that is to be one more has to be added here.
var notRun = []string{
	"README.md: $ make demo         # first deploy, then a deploy and a rollback under load: counts what was lost",
	"README.md: $ make install                   # or: make build, and use bin/bluegreen",
	"docs/codedeploy.md: aws deploy push --application-name hello --s3-location s3://example-revisions/hello.zip --source .",
	"docs/notifications-and-metrics.md: $ bluegreen deploy --metrics-file /var/lib/node_exporter/textfile/bluegreen.prom",
	"docs/releases.md: $ docker load -i bluegreen-v1.2.3-image-linux-amd64.tar",
	"docs/releases.md: $ git tag v1.2.3",
	"docs/releases.md: $ sha256sum -c --ignore-missing SHA256SUMS            # Linux",
	"docs/releases.md: $ tar -xzf bluegreen-v1.2.3-darwin-arm64.tar.gz",
	"docs/runtimes.md: make build runtime-images",
	"docs/tls.md: $ htpasswd -Bc staff.htpasswd ann                                  # from Debian's apache2-utils",
	"docs/tls.md: $ certbot certonly --webroot -w /srv/acme -d shop.example.com \\",
}

// Every block says what it is, and what is not run is known.
func TestWhatOfTheDocumentationIsNotRunIsKnown(t *testing.T) {
	var found []string
	for _, page := range documentation(t) {
		for _, b := range page.Blocks {
			first, _, _ := strings.Cut(b.Text, "\n")
			switch b.Language {
			case "console", "sh", "yaml", "nginx", Setup:
			case "json":
				if err := b.JSON(); err != nil {
					t.Errorf("%s: %v", page.At(b.Line), err)
				}
			case "", "text":
				if line, bad := b.CommandIn(); bad {
					t.Errorf("%s: a command in a block that is not `console` or `sh`: %s", page.At(b.Line), line)
				}
			default:
				t.Errorf("%s: nobody tests blocks of %q", page.At(b.Line), b.Language)
			}
			if b.NotRun != "" {
				t.Logf("NOT RUN: %s: %s (%s)", page.At(b.Line), first, b.NotRun)
				found = append(found, page.Name+": "+first)
			}
		}
	}
	slices.Sort(found)
	want := slices.Sorted(slices.Values(notRun))
	if !slices.Equal(found, want) {
		t.Errorf("blocks that are not run:\n%s\nand those known in notRun:\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
}

// Every command line of bluegreen's in blocks and in the text names commands and flags that there are; so do those of make.
func TestEveryCommandInTheDocumentationExists(t *testing.T) {
	ask := newAsker(t)
	for _, page := range documentation(t) {
		for _, wrong := range ask.unknown(page) {
			t.Error(wrong)
		}
	}
}

func TestAPageWithACommandThatDoesNotExistIsFound(t *testing.T) {
	ask := newAsker(t)
	for text, want := range map[string]string{
		"```console\n$ bluegreen depoly\n```":                                  "no command depoly",
		"```console\n$ bluegreen deploy --imge shop:v1\n```":                   "no flag --imge",
		"```sh\nif true; then bluegreen status --al; fi\n```":                  "no flag --al",
		"<!-- test: not run: r -->\n```sh\ncd x\nbluegreen down --volume\n```": "no flag --volume",
		"| `bluegreen rollback --to 3` | rolls back |":                         "no flag --to",
		"```sh\nmake biuld\n```":                                               "no `make biuld`",
		"<!-- test: setup\nbluegreen stats\n-->":                               "no command stats",
		"Use `bluegreen rollback`, then `make test`.":                          "",
	} {
		page, err := Parse("page.md", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(ask.unknown(page), "\n"); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// asker knows which commands, flags and targets there are.
type asker struct {
	binary  string
	targets map[string]bool // of make
	read    map[string]Help
}

func newAsker(t *testing.T) *asker {
	t.Helper()
	a := &asker{binary: filepath.Join(t.TempDir(), "bluegreen"), targets: map[string]bool{}, read: map[string]Help{}}
	if text, err := exec.Command("go", "build", "-buildvcs=false", "-o", a.binary, "../../cmd/bluegreen").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	text, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):`).FindAllStringSubmatch(string(text), -1) {
		a.targets[found[1]] = true
	}
	return a
}

// unknown says what of a page's commands there is not.
func (a *asker) unknown(page Page) (wrong []string) {
	say := func(line int, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", page.At(line), err))
		}
	}
	for _, b := range page.Blocks {
		if !slices.Contains([]string{"console", "sh", Setup}, b.Language) {
			continue
		}
		commands, err := b.Commands()
		say(b.Line, err)
		for _, c := range commands {
			say(b.Line, a.checkScript(c.Text))
		}
	}
	for _, span := range page.Spans {
		if args, found := Synopsis(span.Text, "bluegreen"); found {
			say(span.Line, Check(args, a.help))
		}
		if target, found := Synopsis(span.Text, "make"); found {
			say(span.Line, a.checkTargets(target))
		}
	}
	return wrong
}

func (a *asker) checkScript(script string) error {
	calls, err := Calls(script, "bluegreen")
	for _, args := range calls {
		err = errors.Join(err, Check(args, a.help))
	}
	made, _ := Calls(script, "make") // what is no shell was said already
	for _, targets := range made {
		err = errors.Join(err, a.checkTargets(targets))
	}
	return err
}

func (a *asker) checkTargets(words []string) (err error) {
	for _, word := range words {
		if !a.targets[word] && !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			err = errors.Join(err, fmt.Errorf("there is no `make %s`", word))
		}
	}
	return err
}

// help asks the binary for the help of a command.
func (a *asker) help(command []string) (Help, error) {
	name := strings.Join(command, " ")
	if h, known := a.read[name]; known {
		return h, nil
	}
	text, err := exec.Command(a.binary, append(slices.Clone(command), "--help")...).CombinedOutput()
	if err != nil {
		return Help{}, fmt.Errorf("ask for the help of %q: %w: %s", name, err, text)
	}
	a.read[name] = ReadHelp(string(text))
	return a.read[name], nil
}

func documentation(t *testing.T) []Page {
	t.Helper()
	all, err := ReadAll("../..")
	if err != nil {
		t.Fatal(err)
	}
	return all
}
