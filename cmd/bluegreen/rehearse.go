package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bluegreen/config"
	"bluegreen/rehearse"
	"bluegreen/rehearse/load"
	"bluegreen/rehearse/report"
)

// rehearsal are the flags of rehearse.
type rehearsal struct {
	image, nginxImage, name    string
	containerPort              int
	env                        []string
	swaps, connections         int
	duration, observe          time.Duration
	rate, ports, compare       string
	methods, paths, headers    []string
	bodyFile, expect           string
	slow, websockets, streams  int
	slowPath, socketPath       string
	streamPath                 string
	http2, keep, shared, clean bool
	example                    bool
	requestTimeout, maxP99     time.Duration
	maxLost                    int64
	report, junit              string
	url, releaseHeader         string

	page, suite *reportFile // of report and junit
}

func (h *rehearsal) flags(f *pflag.FlagSet) {
	f.StringVar(&h.image, "image", "", "image that the swaps go to and come back from (default: the compose file's, again and again)")
	f.StringVar(&h.name, "name", "", "rehearse a service without a compose file: its name (--image is then what it runs)")
	f.IntVar(&h.containerPort, "container-port", 0, "port the app listens on in both profiles (default: the profile's own)")
	f.StringArrayVarP(&h.env, "env", "e", nil, "environment of the app (NAME=VALUE, or NAME to take it from here)")
	f.IntVar(&h.swaps, "swaps", rehearse.DefaultSwaps, "how many swaps")
	f.DurationVar(&h.duration, "duration", 0, fmt.Sprintf("how long the load goes on, the swaps evenly in it (default %v for each swap, and once more)", rehearse.DefaultBetween))
	f.StringVar(&h.rate, "rate", fmt.Sprintf("%d/s", rehearse.DefaultRate), fmt.Sprintf("requests a second of all connections together, as 500, 500/s or 60/m (with --observe %d/s, through the nginx container %d/s)", rehearse.DefaultObserved, rehearse.DefaultDistantRate))
	f.IntVar(&h.connections, "connections", rehearse.DefaultConnections, fmt.Sprintf("keep-alive connections (with --observe %d, through the nginx container %d)", rehearse.DefaultObservedConnections, rehearse.DefaultDistantConnections))
	f.StringSliceVar(&h.methods, "method", nil, "methods and their shares, as GET,POST or GET=80,POST=20 (default GET; half GET, half POST for the built-in example)")
	f.StringArrayVar(&h.paths, "path", nil, "path to ask for; may be given several times (default: the health path)")
	f.StringArrayVar(&h.headers, "header", nil, "request header, as 'Accept: text/html'; may be given several times")
	f.StringVar(&h.bodyFile, "body-file", "", "file with the body of the requests that have one")
	f.StringVar(&h.expect, "expect", "", "text that every good answer must hold, in its first MiB; else it counts as wrong")
	f.DurationVar(&h.requestTimeout, "request-timeout", rehearse.DefaultTimeout, "how long an answer may take before it counts as lost")
	f.IntVar(&h.slow, "slow", 0, "clients that send one slow request after the other")
	f.StringVar(&h.slowPath, "slow-path", "/slow?for=3s", "what they ask for")
	f.IntVar(&h.websockets, "websockets", 0, "clients that keep a websocket open")
	f.StringVar(&h.socketPath, "websocket-path", "/ws", "where")
	f.IntVar(&h.streams, "streams", 0, "clients that read an event stream")
	f.StringVar(&h.streamPath, "stream-path", "/stream?for=10s", "which")
	f.BoolVar(&h.http2, "http2", false, "send the requests by HTTP/2")
	f.StringVar(&h.compare, "compare", "", "\"recipe\": do the same with the well-known five scripts, and show both side by side")
	f.StringVar(&h.report, "report", "", "write the report as an HTML page to this file")
	f.StringVar(&h.junit, "junit", "", "write the verdict as JUnit XML to this file")
	f.Int64Var(&h.maxLost, "max-lost", 0, "exit 1 when more requests than this were lost")
	f.DurationVar(&h.maxP99, "max-p99", 0, "exit 1 when the 99th percentile of the answers' times was longer (default: not looked at)")
	f.BoolVar(&h.shared, "shared", false, "let the copy join the networks of the real service and use its volumes and folders")
	f.BoolVar(&h.keep, "keep", false, "leave the copy running afterwards")
	f.BoolVar(&h.clean, "clean", false, "only remove what earlier rehearsals left, also what --keep left")
	f.BoolVar(&h.example, "example", false, "rehearse the built-in example although there is a compose file")
	f.StringVar(&h.ports, "ports", fmt.Sprintf("%d-%d", rehearse.DefaultPorts[0], rehearse.DefaultPorts[1]), "range from which the copy's ports are taken, all on loopback")
	f.StringVar(&h.nginxImage, "nginx-image", "", "image of the copy's nginx (default: the compose file's, else that of the host's nginx, else "+config.DefaultImage+")")
	f.StringVar(&h.url, "url", "", "load this URL instead, and swap nothing: one on loopback, or with --observe a real one")
	f.DurationVar(&h.observe, "observe", 0, fmt.Sprintf("only watch --url for this long, at %d requests a second at most, while it is deployed elsewhere", rehearse.MaxObserved))
	f.StringVar(&h.releaseHeader, "release-header", "", "response header in which the answers of --url name their release")
}

func (a *app) rehearseCommand() *cobra.Command {
	var h rehearsal
	cmd := &cobra.Command{
		Use: "rehearse [SERVICE]", Short: "Reproduce a production swap on a throw-away copy, under load, and count what was lost", GroupID: "main", Args: oneService,
		Long: `Brings up a throw-away copy of the service on a network and ports of its own, drives load through its nginx,
swaps it as a deploy would, and reports what the clients saw. Without a compose file it rehearses a built-in
example. Everything is gone afterwards; what a killed rehearsal left, the next one removes. With an engine on another
machine the copy is there, and the load goes through its nginx container: by default a smaller one.

The load is open: requests are due at a constant rate, whatever became of those before them, and their time counts
from when they were due. No request is ever sent twice. Each is classified: ok, refused, reset, cut, 5xx by nginx or
by the app, timed out, answered by the wrong release.

By default the health path is asked for with GET; say with --method, --path, --header and --body-file what your clients
send. The copy joins none of the service's networks, has empty volumes, may only read its folders, and gets no socket
of the host: --shared lifts that.

Exit codes: 0 within the limits; 1 more lost, or slower, than allowed, or a swap failed; 2 wrong usage or
configuration; 5 the Docker host cannot be reached; 130 interrupted.`,
		Example: `  bluegreen rehearse                                   # the service of ./compose.yaml, or the built-in example
  bluegreen rehearse --image shop:v43 --swaps 20 --rate 1000/s --report report.html
  bluegreen rehearse --method GET=80,POST=20 --path /api/items --max-p99 50ms --junit rehearsal.xml
  bluegreen rehearse --compare recipe --report report.html
  bluegreen rehearse --url https://shop.example.com/ --observe 60s   # while a real deploy runs elsewhere`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.rehearse(cmd, h, first(args)) },
	}
	h.flags(cmd.Flags())
	return cmd
}

// rehearse does what the flags say.
func (a *app) rehearse(cmd *cobra.Command, h rehearsal, service string) error {
	outliveReaders()
	ctx := cmd.Context()
	if err := h.check(cmd, service); err != nil {
		return err
	}
	h.observeModestly(cmd.Flags())
	var err error
	if h.page, err = openReport(h.report); err != nil {
		return err
	}
	defer h.page.close()
	if h.suite, err = openReport(h.junit); err != nil {
		return err
	}
	defer h.suite.close()
	switch {
	case h.clean:
		return a.cleanUp(ctx)
	case h.url != "":
		return a.observe(ctx, h)
	}
	c, err := a.rehearsalConfig(ctx, h, service)
	if err != nil {
		return err
	}
	if c.Service == nil && (h.image != "" || h.shared) {
		return flagError("--image, --shared", "there is no compose file here, and the built-in example has its own images and nothing to share", "Name a compose file with -f, or the service with --name.")
	}
	if err := c.Check(); err != nil {
		return err
	}
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	h.fromAfar(cmd.Flags(), &c, rehearse.Distant(client, c))
	if err := h.beginReports(); err != nil {
		return err
	}
	show := a.progress()
	c.Note, c.Progress = show.note, show.progress
	r, err := rehearse.Run(ctx, client, c)
	show.end()
	return a.finishRehearsal(h, r, err)
}

// rehearsalConfig is the rehearsal of a service: of the compose file's, or of the built-in example.
func (a *app) rehearsalConfig(ctx context.Context, h rehearsal, service string) (c rehearse.Config, err error) {
	c = rehearse.Config{
		Swaps: h.swaps, Duration: h.duration, Compare: h.compare != "", Shared: h.shared, Keep: h.keep, Verbose: a.verbose, Limits: h.limits(),
		Host: config.Host{Image: h.nginxImage, Probe: a.probe}, Actor: a.actor(), Version: version,
	}
	if c.Ports, err = parsePorts(h.ports); err != nil {
		return c, err
	}
	o := config.Options{Service: service, Host: config.Host{Image: h.nginxImage}, Name: h.name, ContainerPort: h.containerPort, Env: h.env, Copy: true}
	if h.name != "" {
		o.Image = h.image
	}
	if !h.example {
		c.Service, err = a.load(ctx, o)
	}
	switch {
	case h.example, h.name == "" && service == "" && len(a.files) == 0 && errors.Is(err, config.ErrNoFile):
		c.Service = nil
	case err != nil:
		return c, err
	}
	if c.Service != nil && h.image != "" && h.name == "" {
		c.Images = []string{c.Service.Image, h.image}
	}
	c.Load, err = h.load(c.Service)
	return c, err
}

// observe loads a URL that is there already.
func (a *app) observe(ctx context.Context, h rehearsal) error {
	o := rehearse.Observation{
		URL: h.url, Observe: h.observe > 0, Duration: max(h.observe, h.duration), ReleaseHeader: h.releaseHeader,
		Limits: h.limits(), Version: version,
	}
	if o.Duration == 0 {
		o.Duration = rehearse.DefaultBetween * (rehearse.DefaultSwaps + 1)
	}
	if len(h.paths) == 0 {
		h.paths = []string{rehearse.URLPath(h.url)}
	}
	var err error
	if o.Load, err = h.load(nil); err != nil {
		return err
	}
	if err := errors.Join(o.Check(), h.beginReports()); err != nil {
		return err
	}
	show := a.progress()
	o.Progress = show.progress
	r, err := rehearse.Observe(ctx, o)
	show.end()
	return a.finishRehearsal(h, r, err)
}

// beginReports empties the report files, once it is sure that the rehearsal begins.
func (h *rehearsal) beginReports() error { return errors.Join(h.page.begin(), h.suite.begin()) }

// observeModestly sets what is not said of an observation.
func (h *rehearsal) observeModestly(f *pflag.FlagSet) {
	if h.observe == 0 {
		return
	}
	if !f.Changed("rate") {
		h.rate = fmt.Sprint(rehearse.DefaultObserved)
	}
	if !f.Changed("connections") {
		h.connections = rehearse.DefaultObservedConnections
	}
}

// fromAfar sets what is not said of a load that goes through the nginx container.
func (h rehearsal) fromAfar(f *pflag.FlagSet, c *rehearse.Config, distant bool) {
	if distant && !f.Changed("rate") {
		c.Rate = rehearse.DefaultDistantRate
	}
	if distant && !f.Changed("connections") {
		c.Connections = rehearse.DefaultDistantConnections
	}
}

func (h rehearsal) limits() report.Limits {
	l := report.Limits{MaxLost: h.maxLost}
	if h.maxP99 > 0 {
		ms := report.Millis(h.maxP99)
		l.MaxP99 = &ms
	}
	return l
}

// load is what the clients send to a service; nil: to the built-in example, or to a URL.
func (h rehearsal) load(s *config.Service) (l rehearse.Load, err error) {
	l = rehearse.Load{
		Connections: h.connections, HTTP2: h.http2, Expect: h.expect, Timeout: h.requestTimeout,
		Others: []rehearse.Others{
			{Kind: load.Slow, Clients: h.slow, Path: h.slowPath},
			{Kind: load.Websocket, Clients: h.websockets, Path: h.socketPath},
			{Kind: load.Stream, Clients: h.streams, Path: h.streamPath},
		},
	}
	if l.Rate, err = parseRate(h.rate); err != nil {
		return l, err
	}
	for flag, path := range map[string]string{"--slow-path": h.slowPath, "--websocket-path": h.socketPath, "--stream-path": h.streamPath} {
		if err := checkPath(flag, path); err != nil {
			return l, err
		}
	}
	if l.Header, l.Host, err = parseHeaders(h.headers); err != nil {
		return l, err
	}
	l.Mix, err = h.mix(s)
	return l, err
}

// cleanUp removes what earlier rehearsals left.
func (a *app) cleanUp(ctx context.Context) error {
	client, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer client.Close()
	ids, err := rehearse.CleanUp(ctx, client, true)
	for _, id := range ids {
		fmt.Fprintln(a.stdout, "removed rehearsal "+id)
	}
	if len(ids) == 0 && err == nil && !a.quiet {
		fmt.Fprintln(a.stdout, "nothing is left of earlier rehearsals")
	}
	return err
}
