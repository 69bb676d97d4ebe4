package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/net/http/httpguts"

	"bluegreen/config"
	"bluegreen/rehearse"
	"bluegreen/rehearse/load"
)

// biggestBody is the largest request body that is sent again and again.
const biggestBody = 10 << 20

func flagError(flag, what, do string) error {
	return &config.Error{Where: flag, What: what, Do: do}
}

// only are flags that mean something only together with another.
var only = map[string]string{"observe": "url", "release-header": "url"}

// without are flags that mean nothing together with --url: nothing is swapped.
var without = []string{"image", "name", "container-port", "env", "swaps", "compare", "shared", "keep", "example", "ports", "nginx-image", "file"}

// check refuses flags that do not go together.
func (h rehearsal) check(cmd *cobra.Command, service string) error {
	f := cmd.Flags()
	if h.clean {
		return cleanAlone(cmd, service)
	}
	for flag, needs := range only {
		if typed(f, flag) && !f.Changed(needs) {
			return flagError("--"+flag, "means something only together with --"+needs, "")
		}
	}
	if h.url != "" {
		for _, flag := range without {
			if typed(f, flag) {
				return flagError("--"+flag, "means nothing together with --url: nothing is swapped", "Leave one of them out.")
			}
		}
		if service != "" {
			return flagError("SERVICE", "means nothing together with --url: nothing is swapped", "Leave one of them out.")
		}
	}
	switch {
	case f.Changed("duration") && h.duration == 0:
		return flagError("--duration", "0s", "At least 1s; or leave it out.")
	case f.Changed("observe") && h.observe == 0:
		return flagError("--observe", "0s", "At least 1s.")
	case f.Changed("max-p99") && h.maxP99 == 0:
		return flagError("--max-p99", "0s", "A microsecond or more; or leave it out.")
	case h.report != "" && h.report == h.junit:
		return flagError("--junit", "is the file of --report", "Name two files.")
	case h.observe > 0 && h.duration > 0:
		return flagError("--observe", "is the duration itself", "Leave --duration out.")
	case h.compare != "" && h.compare != "recipe":
		return flagError("--compare", fmt.Sprintf("%q is nothing to compare with", h.compare), "There is: recipe.")
	case h.example && (service != "" || h.name != ""):
		return flagError("--example", "a service was named too", "Leave one of them out.")
	}
	return nil
}

// cleanAlone refuses what would have no effect beside --clean.
func cleanAlone(cmd *cobra.Command, service string) (err error) {
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if typed(cmd.Flags(), f.Name) && f.Name != "clean" {
			err = flagError("--"+f.Name, "means nothing together with --clean: nothing is rehearsed", "Leave one of them out.")
		}
	})
	if service != "" {
		err = flagError("SERVICE", "means nothing together with --clean", "Leave one of them out.")
	}
	return err
}

// parseRate reads requests a second: 500, 500/s, 60/m.
func parseRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	rate, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch unit = strings.TrimSpace(unit); {
	case err != nil || unit != "" && unit != "s" && unit != "m":
		return 0, flagError("--rate", fmt.Sprintf("%q is not a number of requests", text), "Write it as 500, 500/s or 60/m.")
	case unit == "m":
		rate /= 60
	}
	return rate, nil
}

func parsePorts(text string) (r [2]int, err error) {
	low, high, ok := strings.Cut(text, "-")
	var errs [2]error
	r[0], errs[0] = strconv.Atoi(low)
	r[1], errs[1] = strconv.Atoi(high)
	if !ok || errs[0] != nil || errs[1] != nil {
		return r, flagError("--ports", fmt.Sprintf("%q is not a range", text), "Write it as 20000-29999.")
	}
	return r, nil
}

// framing are headers that the load client sets itself.
var framing = []string{"Content-Length", "Transfer-Encoding", "Connection", "Upgrade"}

// parseHeaders reads headers, and apart from them the one that names the host.
func parseHeaders(lines []string) (headers http.Header, host string, err error) {
	headers = http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, "", flagError("--header", "what was given is not a header", "Write it as 'Name: value'.")
		}
		if strings.EqualFold(name, "Host") {
			if host = value; host == "" || !httpguts.ValidHostHeader(host) {
				return nil, "", flagError("--header", fmt.Sprintf("%q is not a host", value), "Write it as 'Host: shop.example.com'.")
			}
			continue
		}
		for _, own := range framing {
			if strings.EqualFold(name, own) {
				return nil, "", flagError("--header", own+" is set by the client itself", "Leave it out.")
			}
		}
		headers.Add(name, value)
	}
	return headers, host, nil
}

// mix is every method on every path, in the methods' shares.
func (h rehearsal) mix(s *config.Service) ([]load.Request, error) {
	if s == nil && h.url == "" && len(h.methods)+len(h.paths) == 0 && h.bodyFile == "" {
		return rehearse.ExampleMix(), nil
	}
	paths := h.paths
	switch {
	case len(paths) > 0:
	case s != nil:
		paths = []string{s.Settings.Health.Path}
	default:
		paths = []string{"/"}
	}
	body, err := readBody(h.bodyFile)
	if err != nil {
		return nil, err
	}
	methods := h.methods
	if len(methods) == 0 {
		methods = []string{http.MethodGet}
	}
	var mix []load.Request
	for _, text := range methods {
		method, share, err := parseMethod(text)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			q := load.Request{Method: method, Path: path, Share: share / float64(len(paths))}
			if method != http.MethodGet && method != http.MethodHead {
				q.Body = body
			}
			if err := checkPath("--path", path); err != nil {
				return nil, err
			}
			mix = append(mix, q)
		}
	}
	return mix, nil
}

func parseMethod(text string) (method string, share float64, err error) {
	method, number, given := strings.Cut(text, "=")
	share = 1
	if given {
		share, err = strconv.ParseFloat(number, 64)
	}
	method = strings.ToUpper(strings.TrimSpace(method))
	if err != nil || !(share > 0) || share > 1e6 || !httpguts.ValidHeaderFieldName(method) || method == http.MethodConnect {
		return "", 0, flagError("--method", fmt.Sprintf("%q is not a method with a share", text), "Write it as GET, or GET=80,POST=20.")
	}
	return method, share, nil
}

func checkPath(flag, path string) error {
	if !strings.HasPrefix(path, "/") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' || r == '#' }) {
		return flagError(flag, fmt.Sprintf("%q is not a path", path), "It begins with / and has no spaces; write other characters as %xx.")
	}
	return nil
}

func readBody(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	info, err := os.Stat(file)
	if err == nil && info.Size() > biggestBody {
		return nil, flagError("--body-file", fmt.Sprintf("%s has %d bytes", file, info.Size()), fmt.Sprintf("At most %d.", biggestBody))
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, flagError("--body-file", err.Error(), "")
	}
	return body, nil
}
