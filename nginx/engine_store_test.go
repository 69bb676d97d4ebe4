package nginx

import (
	"strings"
	"testing"
)

// TestPasswordsAreForTheGroupOfTheWorkers, whether nginx runs or is down, and the key for nobody but its master.
func TestPasswordsAreForTheGroupOfTheWorkers(t *testing.T) {
	onImages(t, func(t *testing.T, image string) {
		e := deployed(t, image)
		group := ""
		for line := range strings.Lines(docker(t, "top", e.name, "-eo", "pid,gid,args")) {
			if words := strings.Fields(line); strings.Contains(line, "worker process") {
				group = words[1]
			}
		}
		if group == "" || group == "0" {
			t.Fatalf("the group of nginx's workers is %q", group)
		}
		for _, down := range []bool{false, true} {
			e.down = down
			run := "up"
			if down {
				run = "down"
			}
			lay := "umask 077; cd " + Root + "\n"
			for _, f := range siteFiles {
				lay += "printf '" + strings.NewReplacer("\x00", `\000`, "\xff", `\377`, "\n", `\n`).Replace(string(f.Text)) + "' >" + StoreTemp("shop", run, f.Name) + "\n"
			}
			if r, err := e.Run(t.Context(), []string{"sh", "-c", lay}); err != nil || r.ExitCode != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			if err := Store(t.Context(), e, "shop", run, siteFiles); err != nil {
				t.Fatal(err)
			}
			r, err := e.Run(t.Context(), []string{"sh", "-c", "cd " + Root + "/" + FilesDir("shop") + " && stat -c '%n %a %u %g' *; rm *"})
			want := "00aa.crt 644 0 0\n00bb.key 600 0 0\n00cc.htpasswd 640 0 " + group + "\n"
			if err != nil || r.Stdout != want {
				t.Errorf("nginx %s: %q, %v; want %q", run, r.output(), err, want)
			}
		}
	})
}
