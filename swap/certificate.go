package swap

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"bluegreen/config"
	"bluegreen/nginx"
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
	for _, f := range judgeCertificate(c, j.servedNames(), now) {
		notes = append(notes, f.What)
	}
	return &CertificateStatus{Names: c.Names, NotAfter: c.NotAfter.UTC(), DaysLeft: int(math.Floor(c.NotAfter.Sub(now).Hours() / 24))}, notes
}

// otherCertificate is another service that shows another certificate under one of these names. nginx has one server for a name,
// and with it one certificate: that of the service whose site it reads first.
func otherCertificate(files map[string][]byte, service, certificate string, names []string) (other, name string) {
	for _, o := range nginx.OwnSites(files) {
		theirs := nginx.CertificateOf(files, o)
		if o == service || theirs == "" || theirs == certificate {
			continue
		}
		for _, n := range nginx.AllNames(string(files[nginx.SitePath(o)])) {
			if slices.ContainsFunc(names, func(ours string) bool { return strings.EqualFold(ours, n) }) {
				return o, n
			}
		}
	}
	return "", ""
}

// checkCertificate refuses a certificate for a name under which another service shows another one. Where the service has one
// for that name already it may be replaced: a renewed one comes to the services of a name one after the other.
func (o *Observation) checkCertificate(files map[string][]byte, service, certificate string, names []string) error {
	if certificate == "" || o.adopted() {
		return nil
	}
	if nginx.CertificateOf(o.Files, service) != "" {
		has := nginx.AllNames(string(o.Files[nginx.SitePath(service)]))
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(has, n) })
	}
	other, name := otherCertificate(files, service, certificate, names)
	if other == "" {
		return nil
	}
	return &config.Error{
		Where: "service " + service, What: fmt.Sprintf("has another certificate for %s than service %s, and nginx can show one for a name", name, other),
		Do: fmt.Sprintf("Give both the same. If it was renewed: first run `bluegreen reload %s`.", other),
	}
}

// servedNames are the names that nginx serves the service under, those of its preview too, whatever a file wants next.
func (j *job) servedNames() []string {
	names, _ := j.serves()
	return append(names, nginx.PreviewNames(string(j.obs.Files[nginx.SitePath(j.service())]))...)
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
			"Get one for all server_names, those of the preview too, then run `bluegreen reload`."))
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
	found := judgeCertificate(c, d.servedNames(), time.Now())
	own := nginx.CertificateOf(d.obs.Files, d.service())
	if other, name := otherCertificate(d.obs.Files, d.service(), own, d.servedNames()); other != "" {
		found = append(found, warning(fmt.Sprintf("service %s has another certificate for %s: nginx shows one of the two", other, name),
			fmt.Sprintf("If it was renewed: `bluegreen reload %s` where its files are. Else give both the same.", other)))
	}
	return found, nil
}
