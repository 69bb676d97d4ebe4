package nginx

import (
	"net/http"
	"testing"
	"time"
)

// TestWhoIsLetIn: by a password, of each kind that htpasswd and openssl make, and by the address that a load balancer tells of.
func TestWhoIsLetIn(t *testing.T) {
	const passwords = "# the office\n" +
		"ann:$2y$12$/GUaVfvbjkKIlg5D3ZoYo.zpSD2L9ATX9HaID6motRsiKIaxcHqHi\n" + // htpasswd -B: open
		"bob:$apr1$abcdefgh$GQVaHFsauSKl0cgw4bVFJ/\r\n" + // openssl passwd -apr1: sesame
		"eve:$6$abcdefgh$Bk2D4uYVcw0FbFPsWa0iJZ1DNfy8v6OjKcRcuBfMkWD1KdADPVnmQf5cr0O8HfAYpq1XrrjdgIRINkwgSKJ8/1" // openssl passwd -6: sesame
	const balancer = "set_real_ip_from 0.0.0.0/0;\nreal_ip_header X-Forwarded-For;\n"
	onImages(t, func(t *testing.T, image string) {
		e := newEngine(t, image)
		c := defaultSite()
		c.Upstreams = []Upstream{{"real1", "127.0.0.1", 9003}} // nobody: who is let in meets 502
		c.Web = Web{BasicAuth: &BasicAuth{File: "00cc.htpasswd", Realm: "back office"}, Allow: []string{"203.0.113.7", "2001:db8::/32"}, Snippet: "00dd.inc"}
		change := Change{Run: "private", Test: true, Files: append(Site(c),
			File{Path: MainPath, Text: Main(MainConfig{Version: e.version(), ShutdownTimeout: time.Minute})}, File{Path: IncludePath("shop"), Text: Include(Target{"shop", "real1", 1})},
			File{Path: FilePath("shop", "00cc.htpasswd"), Text: passwords}, File{Path: FilePath("shop", "00dd.inc"), Text: balancer},
		)}
		if err := Apply(t.Context(), e, change); err != nil {
			t.Fatal(err)
		}
		e.start()
		const in, out, away = http.StatusBadGateway, http.StatusUnauthorized, http.StatusForbidden
		for _, x := range []struct {
			from, user, password string
			want                 int
		}{
			{"203.0.113.7", "ann", "open", in}, {"203.0.113.7", "bob", "sesame", in}, {"203.0.113.7", "eve", "sesame", in}, {"2001:db8:1::2", "ann", "open", in},
			{"203.0.113.7", "ann", "sesame", out}, {"203.0.113.7", "bob", "", out}, {"203.0.113.7", "# the office", "", out}, {"203.0.113.7", "", "", out},
			{"203.0.113.8", "ann", "open", away}, {"", "ann", "open", away},
		} {
			req := e.request(http.MethodGet, "/", nil)
			if req.Header.Set("X-Forwarded-For", x.from); x.user != "" {
				req.SetBasicAuth(x.user, x.password)
			}
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != x.want {
				t.Errorf("%s with %q from %q: %d, want %d", x.user, x.password, x.from, resp.StatusCode, x.want)
			}
		}
	})
}
