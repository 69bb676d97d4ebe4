package nginx

import (
	"fmt"
	"strings"
	"time"
)

// manyRequests is how many requests a connection may carry: closing one costs a handshake for nothing.
const manyRequests = 1_000_000

// WorkerConnections is how many connections one worker has at most, those to the profiles included. (nginx sets
// memory aside for each: a number without a bound could take all of the host's.)
const WorkerConnections = 16384

// MainConfig is what nginx.conf depends on.
type MainConfig struct {
	Version         string        // of the nginx that will read it ("1.30.6"): older than 1.27.4 gets no keepalive_min_timeout, older than 1.25.1 no HTTP/2
	ShutdownTimeout time.Duration // after it, a retired worker cuts what is still running
	HTTPS           int           // host port of TLS; 0: none
}

// Main is the text of nginx.conf. All its includes are relative, so that a copy of the tree tests itself.
func Main(c MainConfig) string {
	keepaliveMin := ""
	if SupportsKeepaliveMinTimeout(c.Version) {
		keepaliveMin = fmt.Sprintf(`
    # A retired worker answers once more on an open connection instead of resetting it.
    keepalive_min_timeout %s;`, span(KeepaliveMinTimeout))
	}
	http2 := ""
	if SupportsHTTP2Switch(c.Version) {
		http2 = `

    # For clients that begin with it, such as load balancers: beside HTTP/1.1, on the same ports.
    http2 on;`
	}
	return fmt.Sprintf(mainText, span(c.ShutdownTimeout), WorkerConnections, keepaliveMin, manyRequests, http2, mainTLS(c), HTTPPort, acmeInclude, partsOf(""), indent(nobody), StatusPort)
}

// indent puts a text one block deeper.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// layout says what the sites may build upon: it counts up with everything in nginx.conf that a site needs.
const layout = "# For sites of layout 2."

// HasLayout says whether an nginx.conf has all that the sites of this version need. An older bluegreen's has not.
func HasLayout(main string) bool { return strings.Contains(main, "\n"+layout+"\n") }

const mainText = `# Written by bluegreen. What is changed here may be written anew at any deploy.
` + layout + `
worker_processes auto;
worker_rlimit_nofile 65536;
worker_shutdown_timeout %s;
pid /run/nginx.pid;
error_log /dev/stderr error;

events {
    worker_connections %d;
}

http {
    server_tokens off;
    server_names_hash_bucket_size 512;
    server_names_hash_max_size 4096;

    keepalive_timeout 75s;%s
    keepalive_requests %d;
    # A connection that never sends a request would hold its retired worker to the end.
    client_header_timeout 10s;%s
%s
    # No upgrade to h2c: such a tunnel would tie all of a client's requests to one worker, and be cut with it.
    map $http_upgrade $bluegreen_connection {
        default upgrade;
        h2c '';
        '' '';
    }
    # The port survives in $http_host; HTTP/1.0 may come without a host, HTTP/1.1 must not go on without.
    map $http_host $bluegreen_host {
        default $http_host;
        '' localhost;
    }

    # What a site sets; these are for requests that no site answers.
    map '' $bluegreen_service {
        default '';
    }
    map '' $bluegreen_profile {
        default '';
    }
    map '' $bluegreen_release {
        default '';
    }

    # The release, once the app's own head of an answer was read ($upstream_header_time has one time for each try, and "-" for
    # a try without): an answer that nginx made itself came from no release.
    map $upstream_header_time $bluegreen_answered {
        default '';
        ~[0-9]$ $bluegreen_release;
    }

    # As it was sent, without the query, which may hold secrets.
    map $request_uri $bluegreen_path {
        ~^(?<path>[^?]*) $path;
    }
    log_format bluegreen escape=json '{"time":"$time_iso8601","remote":"$remote_addr",'
        '"method":"$request_method","host":"$host","uri":"$bluegreen_path","status":$status,'
        '"bytes":$body_bytes_sent,"seconds":$request_time,"upstream":"$upstream_addr",'
        '"upstream_status":"$upstream_status","upstream_seconds":"$upstream_response_time",'
        '"service":"$bluegreen_service","profile":"$bluegreen_profile","release":"$bluegreen_release"}';
    access_log /dev/stdout bluegreen;

    # The first server of a port answers for hosts that no other one has: services without server names have their parts here.
    server {
        listen %d;
        server_name _;
        %s
        include %s;
%s    }
    server {
        listen %d default_server;
        access_log off;
        default_type text/plain;
        return 404 "bluegreen nginx: no such service\n";
    }
    include sites/*.conf;
}
`
