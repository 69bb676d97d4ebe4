package config

import (
	"encoding/json"
	"maps"
	"slices"
)

// siteKeys are the settings that make a service's site in nginx, as they are remembered, and what their keys are called in the
// compose file where that is something else.
var siteKeys = map[string]string{
	"server_names": "", "paths": "", "max_body": "", "proxy_timeout": "", "release_header": "",
	"keepalive": "upstream.keepalive", "keepalive_timeout": "upstream.keepalive_timeout",
}

// SiteChanges are the keys in which the site of two settings differs, each with a word for how: "new tls", "no more headers",
// "other max_body". Of files, what they hold counts.
func (s Settings) SiteChanges(to Settings) (list []string) {
	was, now := s.siteValues(), to.siteValues()
	all := maps.Clone(was)
	maps.Copy(all, now)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		switch {
		case was[key] == now[key]:
		case was[key] == "":
			list = append(list, "new "+key)
		case now[key] == "":
			list = append(list, "no more "+key)
		default:
			list = append(list, "other "+key)
		}
	}
	return list
}

// siteValues are the keys of the site with their values as JSON; what has none is left out.
func (s Settings) siteValues() map[string]string {
	values := map[string]string{}
	for key, value := range keysOf(s) {
		if name, ok := siteKeys[key]; ok {
			if name == "" {
				name = key
			}
			values[name] = string(value)
		}
	}
	for key, value := range keysOf(s.Web) {
		if key == "unbuffered" {
			key = "buffering: false"
		}
		values[key] = string(value)
	}
	return values
}

func keysOf(v any) (keys map[string]json.RawMessage) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &keys)
	}
	if err != nil {
		panic(err) // settings are remembered so
	}
	return keys
}
