package config

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"
)

// Profile is one of a service's two fixed places.
type Profile struct {
	Name   string `json:"name"`
	Port   int    `json:"port"`             // published on loopback
	Listen int    `json:"listen,omitempty"` // where the app listens, unless ContainerPort is set; 0: at Port
}

// Expect says what a health answer must be.
type Expect string

// What an answer must be besides 2xx: the profile's exact name, nothing more, or a text in it.
const (
	ExpectProfile Expect = "profile"
	ExpectStatus  Expect = "status"
	ExpectText    Expect = "text"
)

// Health is how a release proves that it is ready.
type Health struct {
	Path      string        `json:"path"`
	Expect    Expect        `json:"expect"`
	Text      string        `json:"text,omitempty"` // for ExpectText
	Interval  time.Duration `json:"interval"`
	Timeout   time.Duration `json:"timeout"`   // of one try
	Successes int           `json:"successes"` // in a row
	Deadline  time.Duration `json:"deadline"`
	Host      string        `json:"host,omitempty"` // Host header; "" = the first server name, else the address
}

// Settings are the parts of a service that the host remembers, so that a machine without the compose
// file can roll back. As JSON, durations are texts ("5s").
type Settings struct {
	Service          string        `json:"service"`
	Project          string        `json:"project"`
	Profiles         [2]Profile    `json:"profiles"`                 // by name: a host that never deployed starts with the first
	ContainerPort    int           `json:"container_port,omitempty"` // 0: the profile's own port
	ServerNames      []string      `json:"server_names,omitempty"`   // none: nginx's default server
	Paths            []string      `json:"paths,omitempty"`          // prefixes under these names; none: all that no other service has
	Health           Health        `json:"health"`
	Watch            time.Duration `json:"watch"`
	Drain            time.Duration `json:"drain"`
	KeepOld          bool          `json:"keep_old"`
	Keepalive        int           `json:"keepalive"`
	KeepaliveTimeout time.Duration `json:"keepalive_timeout"`
	MaxBody          string        `json:"max_body"` // nginx size: 100m
	ProxyTimeout     time.Duration `json:"proxy_timeout"`
	ReleaseHeader    string        `json:"release_header,omitempty"` // response header with the number of the release that answered; "" none
	Web              Web           `json:"web,omitzero"`
}

// AppPort is where the app listens in a profile's container.
func (s Settings) AppPort(p Profile) int { return cmp.Or(s.ContainerPort, p.Listen, p.Port) }

// MorePaths are those that a service takes beside Paths, or beside all the rest: the ones with gRPC.
func (s Settings) MorePaths() (list []string) {
	if s.Web.GRPC == nil {
		return nil
	}
	for _, path := range s.Web.GRPC.Paths {
		if !slices.Contains(s.Paths, path) {
			list = append(list, path)
		}
	}
	return list
}

// span is a duration that JSON writes as a text.
type span time.Duration

func (d span) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

func (d *span) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = span(v)
	return err
}

// The types below have the fields of Settings and Health without their methods. A field named once more
// beside them takes the place of the one inside, which is how the durations become texts.
type (
	plainHealth   Health
	plainSettings Settings

	healthJSON struct {
		plainHealth
		Interval span `json:"interval"`
		Timeout  span `json:"timeout"`
		Deadline span `json:"deadline"`
	}
	settingsJSON struct {
		plainSettings
		Watch            span `json:"watch"`
		Drain            span `json:"drain"`
		KeepaliveTimeout span `json:"keepalive_timeout"`
		ProxyTimeout     span `json:"proxy_timeout"`
	}
)

// MarshalJSON writes durations as texts.
func (h Health) MarshalJSON() ([]byte, error) {
	return json.Marshal(healthJSON{plainHealth(h), span(h.Interval), span(h.Timeout), span(h.Deadline)})
}

// UnmarshalJSON reads what MarshalJSON wrote; keys it does not know are left out.
func (h *Health) UnmarshalJSON(text []byte) error {
	var j healthJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*h = Health(j.plainHealth)
	h.Interval, h.Timeout, h.Deadline = time.Duration(j.Interval), time.Duration(j.Timeout), time.Duration(j.Deadline)
	return nil
}

// MarshalJSON writes durations as texts.
func (s Settings) MarshalJSON() ([]byte, error) {
	return json.Marshal(settingsJSON{
		plainSettings(s), span(s.Watch), span(s.Drain), span(s.KeepaliveTimeout), span(s.ProxyTimeout),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote; keys it does not know (a newer version's) are left out.
func (s *Settings) UnmarshalJSON(text []byte) error {
	var j settingsJSON
	if err := json.Unmarshal(text, &j); err != nil {
		return err
	}
	*s = Settings(j.plainSettings)
	s.Watch, s.Drain = time.Duration(j.Watch), time.Duration(j.Drain)
	s.KeepaliveTimeout, s.ProxyTimeout = time.Duration(j.KeepaliveTimeout), time.Duration(j.ProxyTimeout)
	return nil
}
