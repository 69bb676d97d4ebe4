package swap

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"bluegreen/config"
)

// CertificateStatus is a service's certificate in a Status, as the host has it.
type CertificateStatus struct {
	Names    []string  `json:"names"` // that it is for
	NotAfter time.Time `json:"not_after"`
	DaysLeft int       `json:"days_left"` // below 0: expired
}

// certificateStatus is the certificate that the host has, and what is to be said of it; nil: none.
func (j *job) certificateStatus() (*CertificateStatus, []string) {
	if j.Service.Settings.Web.TLS == nil || j.obs.Include == nil {
		return nil, nil
	}
	c, err := j.certificate()
	if err != nil {
		return nil, []string{"the certificate cannot be read: " + err.Error()}
	}
	now := time.Now()
	var notes []string
	for _, f := range judgeCertificate(c, j.Service.Settings.ServerNames, now) {
		notes = append(notes, f.What)
	}
	return &CertificateStatus{Names: c.Names, NotAfter: c.NotAfter.UTC(), DaysLeft: int(math.Floor(c.NotAfter.Sub(now).Hours() / 24))}, notes
}

// judgeCertificate says what is wrong with a certificate, or will be soon.
func judgeCertificate(c config.Certificate, names []string, now time.Time) (found []Check) {
	const renew = "Renew it, then run `bluegreen reload` where its files are (as the ACME client's hook, say)."
	if what := c.Time(now); what != "" {
		found = append(found, problem("the certificate "+what+": clients refuse the connection", renew))
	} else if what := c.Soon(now); what != "" {
		found = append(found, warning("the certificate "+what, renew))
	}
	if missing := c.Missing(names); len(missing) > 0 {
		found = append(found, problem(fmt.Sprintf("the certificate is not for %s (it is for %s)", strings.Join(missing, ", "), strings.Join(c.Names, ", ")),
			"Get one for all server_names, then run `bluegreen reload`."))
	}
	return found
}

// certificateCounts looks at the certificate that the host has.
func (d *doctor) certificateCounts(context.Context) ([]Check, error) {
	switch {
	case d.obs.Include == nil:
		return nil, skip("the service is not live")
	case d.Service.Settings.Web.TLS == nil: // of the host, whatever a file wants next (keepSite)
		return nil, nil
	}
	c, err := d.certificate()
	if err != nil {
		return []Check{problem("the certificate that nginx is to show cannot be read: "+err.Error(), d.bluegreen("reload")+" sends it anew, where its files are.")}, nil
	}
	return judgeCertificate(c, d.Service.Settings.ServerNames, time.Now()), nil
}
