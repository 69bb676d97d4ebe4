package swap

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
)

// with gives a service a certificate that counts until then, besides all else that secured gives it.
func with(t *testing.T, number int, notAfter time.Time) func(*config.Service) {
	t.Helper()
	certificate, key := madeCertificate(t, int64(number), notAfter)
	return func(s *config.Service) {
		secured(number)(s)
		for file, text := range map[config.File][]byte{s.Web.TLS.Certificate: certificate, s.Web.TLS.Key: key} {
			c := s.Contents[file.Name]
			c.Text = text
			s.Contents[file.Name] = c
		}
	}
}

// TestStatusAndDoctorJudgeTheCertificateThatTheHostHas, whatever lies beside the compose file by now, as time goes on.
func TestStatusAndDoctorJudgeTheCertificateThatTheHostHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const day = 24 * time.Hour
		h := fresh(t)
		end := time.Now().Add(30*day + time.Hour).UTC().Truncate(time.Second)
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", with(t, 1, end))})
		renewed := Request{Command: Reload, Service: shop("", with(t, 2, end.Add(90*day)))}
		for _, c := range []struct {
			wait       time.Duration
			left       int
			note, what string
			level      Level
		}{
			{0, 30, "", "", LevelOK},
			{17 * day, 13, "in 13 days", "expires on 2000-01-31, in 13 days", LevelWarning},
			{13*day + 2*time.Hour, -1, "expired on 2000-01-31", "clients refuse the connection", LevelProblem},
		} {
			time.Sleep(c.wait)
			st, err := ReadStatus(t.Context(), h.process(fault{}).world(), unread(3))
			if err != nil {
				t.Fatal(err)
			}
			if st.Certificate == nil || !st.Certificate.NotAfter.Equal(end) || st.Certificate.DaysLeft != c.left || !slices.Equal(st.Certificate.Names, []string{"shop.example.com"}) {
				t.Errorf("after %v: %+v, want %d days left", c.wait, st.Certificate, c.left)
			}
			if !strings.Contains(strings.Join(st.Notes, "\n"), c.note) {
				t.Errorf("after %v: notes %q, want %q", c.wait, st.Notes, c.note)
			}
			if got := judged(t, h, unread(3)); got.Level != c.level || !strings.Contains(got.What, c.what) || c.level != LevelOK && !strings.Contains(got.Do, "bluegreen reload") {
				t.Errorf("after %v: doctor says %+v, want %s, %q", c.wait, got, c.level, c.what)
			}
		}
		h.mustRun(t, renewed)
		if got := judged(t, h, unread(3)); got.Level != LevelOK {
			t.Errorf("renewed: %+v", got)
		}
	})
}

func TestDoctorFindsACertificateThatIsNotForANameOrCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := fresh(t)
		names := []string{"shop.example.com", "www.example.com"}
		h.mustRun(t, Request{Command: Deploy, Service: shop("v1", with(t, 1, time.Now().Add(90*24*time.Hour)), func(s *config.Service) { s.ServerNames = names })})
		if got := judged(t, h, unread(1)); got.Level != LevelProblem || !strings.Contains(got.What, "not for www.example.com") {
			t.Errorf("%+v", got)
		}
		wanted := unread(1) // a file that was not deployed yet
		wanted.ServerNames = append(slices.Clone(names), "brandnew.example.com")
		if got := judged(t, h, wanted); strings.Contains(got.What, "brandnew") {
			t.Errorf("%+v", got)
		}
		h.file(nginx.FilePath("shop", "01a.crt"), "somebody wrote here")
		if got := judged(t, h, unread(1)); got.Level != LevelProblem || !strings.Contains(got.What, "cannot be read") || !strings.Contains(got.Do, "reload") {
			t.Errorf("%+v", got)
		}
	})
}

// judged is what doctor finds of the certificate.
func judged(t *testing.T, h *patient, s *config.Service) Check {
	t.Helper()
	d, err := Diagnose(t.Context(), h.world(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range d.Checks {
		if c.Name == "certificate" {
			return c
		}
	}
	t.Fatalf("nothing of a certificate in %+v", d.Checks)
	return Check{}
}

// shown is all that the host would show, but for the files that hold secrets.
func (h *host) shown() string {
	defer h.lock()()
	var b strings.Builder
	for name, text := range h.volumes["bluegreen-nginx"] {
		if ext := path.Ext(name); ext != ".key" && ext != ".htpasswd" {
			b.WriteString(text)
		}
	}
	for _, box := range h.boxes {
		fmt.Fprintf(&b, "%+v\n", *box)
	}
	return b.String()
}

// TestNoKeyAndNoPasswordIsToldAnywhere: they are in their own files in nginx's volume, and nowhere else.
func TestNoKeyAndNoPasswordIsToldAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		var told strings.Builder
		for i, r := range []Request{
			{Command: Deploy}, {Command: Deploy}, {Command: Reload}, {Command: Rollback}, {Command: MaintenanceOn}, {Command: Reload, DryRun: true},
			{Command: Recreate, Force: true}, {Command: Down},
		} {
			r.Service = shop(fmt.Sprint("v", i), with(t, i, time.Now().Add(90*24*time.Hour)))
			for name, c := range r.Service.Contents {
				if c.Secret || c.Shared {
					c.Text = append([]byte("hush "), c.Text...)
					r.Service.Contents[name] = c
				}
			}
			r.Emit = func(e Event) {
				text, err := json.Marshal(e)
				fmt.Fprintf(&told, "%s %v %+v\n", text, err, e)
			}
			res, err := Run(t.Context(), h.process(fault{}).world(), r)
			soon()
			if err != nil {
				t.Fatalf("%s: %v", r.Command, err)
			}
			fmt.Fprintf(&told, "%+v\n", res)
			told.WriteString(h.shown())
		}
		if text := told.String(); strings.Contains(text, "hush") || strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, "104 117 115 104") {
			t.Error("a secret is told")
		}
	})
}
