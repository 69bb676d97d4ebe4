package config

import (
	"net/url"
	"slices"
	"strings"

	"bluegreen/nginx"
)

// Notify is a webhook that is told how runs end. Its URL is a secret: it is in no Settings, so that the host does not
// remember it, and no error shows it.
type Notify struct {
	URL    string // "": not said here, as its variable is not set
	Format string
	On     []string // outcomes that are worth telling
}

// Formats of a notification.
const (
	FormatJSON    = "json"
	FormatSlack   = "slack"
	FormatDiscord = "discord"
)

// notifyOutcomes are all outcomes that can be told, and DefaultNotifyOn those that are unless a service says otherwise: what
// users met, and what failed. The rest, which a run of many stages has one after the other, is for those who ask for it.
var (
	notifyOutcomes  = []string{"swapped", "rolled_back", "failed", "paused", "interrupted", "done"}
	DefaultNotifyOn = notifyOutcomes[:5]
)

// notifications reads a URL, or a list of URLs and of sections.
func notifications(s *Service) setter {
	var one Notify
	single, several := notification(&one), list(&s.Notify, notification)
	set := func(v any) *fault {
		read := several
		switch v.(type) {
		case string, map[string]any:
			read = single.then(func() { s.Notify = []Notify{one} })
		case []any:
		default:
			return wrongType(v, "a URL, a section, or a list of them ([{url: …, format: slack}])")
		}
		if f := read.set(v); f != nil {
			return f
		}
		if slices.ContainsFunc(s.Notify, func(n Notify) bool { return n.URL == "" }) {
			s.Warnings = append(s.Warnings, "nobody is notified where notify has no URL: its variable is not set here")
		}
		return nil
	}
	return setter{set, anyShape("a URL, a section with `url`, `format` and `on`, or a list of them", append(single.takes.AnyOf, several.takes)...)}.like("https://hooks.example.com/deploys")
}

// notification reads one of them.
func notification(n *Notify) setter {
	*n = Notify{Format: FormatJSON, On: DefaultNotifyOn}
	given := false
	whole := section(
		field{"url", secretURL(&n.URL).then(func() { given = true }).or(needed), "Where the result is sent. Usually a variable: it is a secret."},
		field{"format", choice(&n.Format, FormatJSON, FormatSlack, FormatDiscord), "What is sent: the result as JSON, or a message of Slack's or of Discord's kind."},
		field{"on", list(&n.On, func(p *string) setter { return choice(p, notifyOutcomes...) }).some("nothing would be told", "Take it out, or name outcomes: "+strings.Join(notifyOutcomes, ", ")+".").
			called("a list of outcomes").or("all but `done`").like([]string{"failed", "rolled_back"}), "The outcomes that are told: `" + strings.Join(notifyOutcomes, "`, `") + "`."},
	)
	set := func(v any) *fault {
		*n, given = Notify{Format: FormatJSON, On: DefaultNotifyOn}, false
		if _, ok := v.(string); ok {
			return secretURL(&n.URL).set(v)
		}
		if f := whole.set(v); f != nil {
			return f.withoutURL()
		}
		if !given {
			return &fault{what: "needs a url", do: "Write url: ${DEPLOY_WEBHOOK}, and set that variable."}
		}
		return nil
	}
	return setter{set, anyShape("a URL or a section", urlShape, whole.takes)}
}

// withoutURL is the fault without what it may quote: a URL at a wrong place is a secret all the same.
func (f *fault) withoutURL() *fault {
	if !strings.Contains(strings.Join(append(f.at, f.what), "\n"), "://") {
		return f
	}
	return &fault{what: "has a URL where none belongs (what it is stays unsaid: it may be a secret)", do: "Write url: ${DEPLOY_WEBHOOK}, and set that variable."}
}

// urlShape is a webhook's URL; what is empty is none.
var urlShape = textShape("a URL", nginx.Form{Pattern: `^[ \t\r\n]*([hH][tT][tT][pP][sS]?://.+)?[ \t\r\n]*$`})

// secretURL takes a URL that no error may show.
func secretURL(p *string) setter {
	set := func(v any) *fault {
		s, ok := v.(string)
		s = strings.Trim(s, " \t\r\n")
		u, err := url.Parse(s)
		switch {
		case ok && s == "":
		case !ok, err != nil, u.Scheme != "https" && u.Scheme != "http", u.Hostname() == "":
			return &fault{
				what: "is not a URL of a webhook (what it is stays unsaid: it may be a secret)",
				do:   "It begins with https:// or http:// and the name of a host.",
			}
		}
		*p = s
		return nil
	}
	return setter{set, urlShape}
}
