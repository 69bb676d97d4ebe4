package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"bluegreen/swap"
)

func TestStatusShowsTheCertificateAndMaintenance(t *testing.T) {
	s := swap.Status{
		Service: "shop", Live: "real1", Release: 7, Serving: true, Maintenance: &swap.Maintenance{},
		Certificate: &swap.CertificateStatus{Names: []string{"shop.example.com", "www.example.com"}, NotAfter: time.Date(2027, 2, 25, 0, 0, 0, 0, time.UTC), DaysLeft: 1},
	}
	var out bytes.Buffer
	if err := printStatus(&out, s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shop: MAINTENANCE: users get 503; release 7 is live in real1", "certificate: for shop.example.com, www.example.com, expires on 2027-02-25, in 1 day\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out.String())
		}
	}
	s.Certificate.DaysLeft, s.Serving = -1, false
	out.Reset()
	if err := printStatus(&out, s); err != nil || !strings.Contains(out.String(), "EXPIRED on 2027-02-25") || !strings.Contains(out.String(), "shop: DOWN") {
		t.Errorf("%v\n%s", err, out.String())
	}
	if got := stateWord(s); got != "DOWN" {
		t.Errorf("listed as %s", got)
	}
	if s.Serving = true; stateWord(s) != "maintenance" {
		t.Errorf("listed as %s", stateWord(s))
	}
}

func TestStatusNamesThePreview(t *testing.T) {
	var out bytes.Buffer
	s := swap.Status{Service: "shop", Live: "real1", Serving: true, Preview: []string{"https://next.example.com/", "https://next.example.com/b"}}
	if err := printStatus(&out, s); err != nil || !strings.Contains(out.String(), "\npreview of the idle profile: https://next.example.com/, https://next.example.com/b\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	s.Preview = nil
	if err := printStatus(&out, s); err != nil || strings.Contains(out.String(), "preview") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestWhereAServiceCanBeOpenedIsSaidInALine(t *testing.T) {
	a := []string{"http://a", "http://b", "http://c", "http://d", "http://e"}
	for n, want := range []string{"", " at http://a", " at http://a, http://b", " at http://a, http://b, http://c", " at http://a, http://b, http://c and 1 more"} {
		s := swap.Status{Service: "shop", Live: "real1", Release: 7, Serving: true, Opens: a[:n], Nginx: &swap.NginxStatus{Ports: []string{"0.0.0.0:80->80"}}}
		var out bytes.Buffer
		if err := printStatus(&out, s); err != nil || !strings.HasPrefix(out.String(), "shop: release 7 is live in real1"+want+"\n") || !strings.Contains(out.String(), "\nports: 0.0.0.0:80->80\n") {
			t.Errorf("%v\n%s", err, out.String())
		}
		got := summary(swap.Result{Service: "shop", Outcome: swap.Swapped, Live: "real1", Release: 7, Image: "shop:v7", Opens: a[:n]}, swap.Request{Command: swap.Deploy})
		if !strings.HasPrefix(got, "shop: release 7 (shop:v7) is live in real1"+want+", switched in") {
			t.Error(got)
		}
	}
}

func TestAnNginxThatLosesRequestsIsWarnedOfByItsReason(t *testing.T) {
	for why, n := range map[string]swap.NginxStatus{
		"older than 1.27.4":                  {Version: "1.22.1"},
		"does not set keepalive_min_timeout": {Version: "1.30.6", Adopted: true},
	} {
		var out bytes.Buffer
		if printNginx(&out, &n); !strings.Contains(out.String(), why) {
			t.Errorf("nginx %s: %s", n.Version, out.String())
		}
	}
}
