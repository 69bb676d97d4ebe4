package nginx

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Preview are names under which a site shows the idle profile, and never the live one.
type Preview struct {
	ServerNames []string
	BasicAuth   *BasicAuth // in the place of the Web's; nil: that one holds here, too
	Allow       []string   // the same
}

// previewHead stands before the servers of the preview's names.
const previewHead = "\n# These names show the idle profile, and never the live one.\n"

// PreviewPath is how a request is passed on to the idle profile, relative to Root.
func PreviewPath(service string) string { return ServiceDir(service) + "/preview.inc" }

// previewLocationsPath and previewGRPCPath are for the preview's names what LocationsPath and GRPCPath are for the public ones.
func previewLocationsPath(service string) string { return ServiceDir(service) + "/preview-paths.inc" }
func previewGRPCPath(service string) string      { return ServiceDir(service) + "/preview-grpc.inc" }

func isPreviewFile(name, service string) bool {
	return name == PreviewPath(service) || name == previewLocationsPath(service) || name == previewGRPCPath(service)
}

// previewParts are those of PartFiles that the preview needs.
func previewParts(have map[string][]byte, service string) (files []string) {
	for _, name := range PreviewNames(string(have[SitePath(service)])) {
		files = append(files, PartPath(service, name))
	}
	if len(files) == 0 {
		return nil
	}
	return append(files, previewLocationsPath(service), PreviewPath(service))
}

// longestVariable is how much of a variable's name may stand for the service: longer ones do not fit nginx's hash of variables
// (variables_hash_bucket_size, 64 bytes).
const longestVariable = 30

// idleVariable is the idle profile's name, in nginx's words. These take letters, digits and _ alone, and no case counts: nor
// does it in the names of an nginx's services. No name that stands for itself begins with _, as sums do.
func idleVariable(service string) string {
	var b strings.Builder
	for _, c := range []byte(service) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "_%02x", c)
	}
	name := b.String()
	if len(name) > longestVariable {
		sum := sha256.Sum256([]byte(strings.ToLower(service)))
		name = fmt.Sprintf("_%x", sum[:(longestVariable-1)/2])
	}
	return "bluegreen_idle_" + name
}

// idleMap leads from the group that the include names to the other profile: the include of the public names decides for the
// preview, too, so that a reload switches both at once. Its keys are regular expressions, since the length of others is limited
// (map_hash_bucket_size).
func (c SiteConfig) idleMap() string {
	if c.Web.Preview == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nmap $service_url $%s {\n    default '';\n", idleVariable(c.Service))
	for i, u := range c.Upstreams {
		live := "~^" + regexp.QuoteMeta("http://"+Group(c.Service, u.Profile)) + "$"
		for _, other := range slices.Delete(slices.Clone(c.Upstreams), i, i+1) {
			fmt.Fprintf(&b, "    %s %s;\n", quote(live), quote(other.Profile))
		}
	}
	return b.String() + "}\n"
}

// previewServers are the servers of the preview's names.
func (c SiteConfig) previewServers() string {
	if c.Web.Preview == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(previewHead)
	for _, name := range c.Web.Preview.ServerNames {
		b.WriteString(strings.TrimPrefix(nameServer(c, name), "\n"))
	}
	return b.String()
}

// previewFiles are the files beside the site that only the preview has.
func (c SiteConfig) previewFiles() []File {
	if c.Web.Preview == nil {
		return nil
	}
	idle := c.idle()
	files := []File{{Path: PreviewPath(c.Service), Text: proxy(idle)}, {Path: previewLocationsPath(c.Service), Text: locations(idle)}}
	if len(c.Web.GRPCPaths) > 0 {
		files = append(files, File{Path: previewGRPCPath(c.Service), Text: grpc(idle)})
	}
	for _, name := range c.Web.Preview.ServerNames {
		files = append(files, File{Path: PartPath(c.Service, name), Text: siteHead + "include " + quote(previewLocationsPath(c.Service)) + ";\n"})
	}
	return files
}

// idle is the site as the preview has it. It is there in maintenance, too: for a look before everybody is let in again.
func (c SiteConfig) idle() SiteConfig {
	p := c.Web.Preview
	c.toIdle, c.Web.Maintenance = true, nil
	if p.BasicAuth != nil {
		c.Web.BasicAuth = p.BasicAuth
	}
	if len(p.Allow) > 0 {
		c.Web.Allow = p.Allow
	}
	c.Web.Headers = previewHeaders(c.Web.Headers)
	c.Web.ErrorPages = maps.Clone(c.Web.ErrorPages)
	for _, status := range []int{502, 504} { // idleAnswers has them
		delete(c.Web.ErrorPages, status)
	}
	return c
}

// previewHeaders are those of every answer of a preview. No search engine is to list it. And nobody is to keep an answer: the
// next release comes under the same addresses, and a browser or a cache that kept a page or a script of the one before would
// mix the two. What an app says of caching is therefore not to be seen here; everything else is as it will be.
func previewHeaders(own map[string]string) map[string]string {
	preview := map[string]string{"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
	all := maps.Clone(preview)
	for name, value := range own {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(preview)), func(p string) bool { return strings.EqualFold(p, name) }) {
			all[name] = value
		}
	}
	return all
}

// url is the group to which requests are passed on.
func (c SiteConfig) url() string {
	if !c.toIdle {
		return "$service_url"
	}
	return quote("http://" + c.Service + "-${" + idleVariable(c.Service) + "}")
}

func (c SiteConfig) proxyPath() string {
	if c.toIdle {
		return PreviewPath(c.Service)
	}
	return ProxyPath(c.Service)
}

func (c SiteConfig) grpcPath() string {
	if c.toIdle {
		return previewGRPCPath(c.Service)
	}
	return GRPCPath(c.Service)
}

// idleAnswers is what a location of the preview says besides: the log names the profile that answers, and no release, as the
// include knows that of the live one alone. nginx's own word for an idle profile that does not answer becomes a plainer one;
// what an app says itself passes as it is.
func (c SiteConfig) idleAnswers() string {
	if !c.toIdle {
		return ""
	}
	return fmt.Sprintf("set $bluegreen_profile $%s;\nset $bluegreen_release '';\nerror_page 502 504 =503 %s;\n", idleVariable(c.Service), idleLocation(c.Service))
}

// idleLocation answers for an idle profile that does not. No service's name has a + in it.
func idleLocation(service string) string { return quote("@" + service + "+idle") }

// nobodyWaits is that location.
func (c SiteConfig) nobodyWaits() string {
	if !c.toIdle {
		return ""
	}
	return fmt.Sprintf(`location %s {
    default_type text/plain;
%s    return 503 "no release answers in the idle profile: it is stopped, or there is none\n";
}
`, idleLocation(c.Service), indent(c.Web.headers()))
}
