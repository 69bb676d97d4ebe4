package nginx

import (
	"fmt"
	"strings"
)

// grpcSuffix ends the name of a profile's second upstream group: idle connections are kept for each group, and those of
// HTTP/2 must not be mixed with others. No name of a service or profile has it.
const grpcSuffix = "+grpc"

// hasGRPC says whether a part of the service is gRPC.
func (w Web) hasGRPC() bool { return w.GRPC || len(w.GRPCPaths) > 0 }

// grpcURL is the group of the live profile, by the variable that the include sets, or of the idle one.
func (c SiteConfig) grpcURL() string {
	profile := "bluegreen_profile"
	if c.toIdle {
		profile = idleVariable(c.Service)
	}
	return quote("grpc://" + c.Service + "-${" + profile + "}" + grpcSuffix)
}

// grpc passes a request on as gRPC to the live profile, or the idle one.
func grpc(c SiteConfig) string {
	return location(c) + fmt.Sprintf(`grpc_pass %s;
grpc_set_header Host $bluegreen_host;
grpc_set_header X-Real-IP $remote_addr;
grpc_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
grpc_set_header X-Forwarded-Proto $scheme;
grpc_connect_timeout 5s;
grpc_read_timeout %s;
grpc_send_timeout %[2]s;
%s`, c.grpcURL(), span(c.ProxyTimeout), strings.ReplaceAll(releaseHeader(c.ReleaseHeader), "proxy_hide_header", "grpc_hide_header"))
}
