package load

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// Request is one kind of request of a mix.
type Request struct {
	Method string // empty: GET
	Path   string // path and query; empty: the target's
	Body   []byte
	// Share is how often it is sent, relative to the sum of the mix. In a mix without any share all are sent equally often.
	Share float64
}

// userAgent is what requests call their sender, unless the target's headers say otherwise.
const userAgent = "bluegreen-load"

// contentType is what a body is called, unless the target's headers say otherwise.
const contentType = "application/octet-stream"

// mixOf returns the mix with its defaults filled in.
func mixOf(mix []Request, path string) []Request {
	if len(mix) == 0 {
		mix = []Request{{}}
	}
	mix = slices.Clone(mix)
	shared := slices.ContainsFunc(mix, func(r Request) bool { return r.Share > 0 })
	for i := range mix {
		if mix[i].Method == "" {
			mix[i].Method = http.MethodGet
		}
		if mix[i].Path == "" {
			mix[i].Path = path
		}
		if !shared {
			mix[i].Share = 1
		}
	}
	return mix
}

// prepared is a request as it is sent.
type prepared struct {
	*Request
	bytes  []byte        // over HTTP/1.1, written as they are
	header http.Header   // over HTTP/2
	asked  *http.Request // what http.ReadResponse wants to know
}

func prepare(to Target, r *Request) *prepared {
	return &prepared{
		Request: r,
		bytes:   append(requestHead(to, r, int64(len(r.Body))), r.Body...),
		header:  headerOf(to, r),
		asked:   &http.Request{Method: r.Method},
	}
}

// headerOf returns the headers of a request but for its host and its length.
func headerOf(to Target, r *Request) http.Header {
	header := to.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	if len(header.Values("User-Agent")) == 0 {
		header.Set("User-Agent", userAgent)
	}
	if len(r.Body) > 0 && len(header.Values("Content-Type")) == 0 {
		header.Set("Content-Type", contentType)
	}
	for _, ours := range []string{"Host", "Content-Length", "Transfer-Encoding", "Connection"} {
		header.Del(ours)
	}
	return header
}

// requestHead returns the bytes of an HTTP/1.1 request before its body, which has the length.
func requestHead(to Target, r *Request, length int64) []byte {
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Path, to.Host)
	if length > 0 || wantsLength(r.Method) {
		head = append(strconv.AppendInt(append(head, "Content-Length: "...), length, 10), "\r\n"...)
	}
	fields := bytes.NewBuffer(head)
	_ = headerOf(to, r).Write(fields) // a buffer takes it all; line breaks in values are replaced
	fields.WriteString("\r\n")
	return fields.Bytes()
}

// wantsLength says whether a request by the method states its length even if it has no body (RFC 9110, 8.6).
func wantsLength(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}
