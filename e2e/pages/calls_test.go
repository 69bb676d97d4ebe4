package pages

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestEveryCallOfAProgramIsFound(t *testing.T) {
	for script, want := range map[string][][]string{
		"bluegreen deploy --dry-run  # what it would do":              {{"deploy", "--dry-run"}},
		"TAG=v43 bluegreen deploy && bluegreen status":                {{"deploy"}, {"status"}},
		"bluegreen deploy \\\n  --image shop:v43":                     {{"deploy", "--image", "shop:v43"}},
		"ssh shop-1 bluegreen rollback":                               {{"rollback"}},
		"../../bin/bluegreen down --volumes":                          {{"down", "--volumes"}},
		"docker --context prod bluegreen status":                      {{"status"}},
		"if ! bluegreen health web; then echo $(bluegreen logs); fi":  {{"health", "web"}, {"logs"}},
		`certbot --deploy-hook "bluegreen -f /srv/c.yaml reload web"`: {{"-f", "/srv/c.yaml", "reload", "web"}},
		"command -v bluegreen; echo bluegreen-nginx":                  nil,
		"docker run -v x:/etc/bluegreen nginx -t":                     nil,
		`bluegreen deploy --image "shop:$TAG"`:                        {{"deploy", "--image", "shop:$TAG"}},
	} {
		got, err := Calls(script, "bluegreen")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v: got %q, want %q", script, err, got, want)
		}
	}
	if _, err := Calls("if then", "bluegreen"); err == nil {
		t.Error("what is no shell is taken")
	}
}

func TestASynopsisIsACall(t *testing.T) {
	for text, want := range map[string]string{
		"bluegreen logs [SERVICE] [--profile P] [-f]": "logs SERVICE --profile P -f",
		`bluegreen maintenance on\|off [SERVICE]`:     "maintenance on SERVICE",
		"docker -H ssh://host bluegreen status --all": "status --all",
		"bluegreen deploy --image …":                  "deploy --image",
	} {
		if got, found := Synopsis(text, "bluegreen"); !found || strings.Join(got, " ") != want {
			t.Errorf("%s: got %q", text, got)
		}
	}
	for _, text := range []string{"bluegreen-nginx", "x-bluegreen: {name: a}", "docker bluegreen"} {
		if _, found := Synopsis(text, "bluegreen"); found {
			t.Errorf("%s is taken for a call", text)
		}
	}
}

// Help as cobra writes it, of a root and of two commands.
func fakeHelp(command []string) (Help, error) {
	const global = "Flags:\n  -f, --file strings       compose file\n  -q, --quiet              only errors\n"
	switch strings.Join(command, " ") {
	case "":
		return ReadHelp("Usage:\n  bluegreen [flags]\n\nExamples:\n  bluegreen deploy  # x\n\nCommands:\n  deploy      Swap\n  nginx       nginx\n\n" + global), nil
	case "deploy":
		return ReadHelp("Flags:\n      --dry-run              print the plan\n      --image string         image\n\nGlobal " + global), nil
	case "nginx":
		return ReadHelp("Available Commands:\n  recreate    Make nginx anew\n\n" + global), nil
	case "nginx recreate":
		return ReadHelp(global), nil
	}
	return Help{}, fmt.Errorf("no help for %v", command)
}

func TestACallIsCheckedAgainstTheHelpOfItsCommand(t *testing.T) {
	for call, want := range map[string]string{
		"":                               "",
		"deploy web --dry-run":           "",
		"deploy --image nginx --dry-run": "",
		"-f deploy nginx recreate -q":    "",
		"deploy --image=x web":           "",
		"deploy -- --anything":           "",
		"deploy --dryrun":                "bluegreen deploy has no flag --dryrun",
		"depoy":                          "bluegreen  has no command depoy",
		"nginx reload":                   "bluegreen nginx has no command reload",
		"nginx recreate --image x":       "bluegreen nginx recreate has no flag --image",
		"--dry-run deploy":               "bluegreen  has no flag --dry-run",
	} {
		got := ""
		if err := Check(strings.Fields(call), fakeHelp); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", call, got, want)
		}
	}
}
