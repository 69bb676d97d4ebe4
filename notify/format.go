package notify

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Message is what is to be told.
type Message struct {
	Text   string // for a person
	Object any    // for a program: the body of FormatJSON
}

// Format is the shape of a body.
type Format string

// The formats.
const (
	JSON    Format = "json"
	Slack   Format = "slack"
	Discord Format = "discord"
)

// discordMost is how many characters Discord takes.
const discordMost = 2000

// body is a message as the webhook wants it.
func (f Format) body(m Message) ([]byte, error) {
	switch f {
	case JSON:
		return json.Marshal(m.Object)
	case Slack:
		return json.Marshal(map[string]string{"text": slackText.Replace(Harmless(m.Text))})
	case Discord:
		return json.Marshal(map[string]any{
			"content":          cut(Harmless(m.Text), discordMost),
			"allowed_mentions": map[string][]string{"parse": {}},
		})
	}
	return nil, fmt.Errorf("there is no format %q", string(f))
}

// slackText writes what Slack would read as the beginning of a link or a mention.
var slackText = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// mention is what chats read as the name of a person, a group or a channel. An @ inside of a word is none: images have one
// before their digest.
var mention = regexp.MustCompile(`\B@|<[#!]`)

// Harmless is a text that names nobody: errors and names of images come from anywhere, and "@channel" in one must not wake
// a whole team. A space of no width stands behind what would begin such a name.
func Harmless(text string) string {
	return mention.ReplaceAllString(strings.ToValidUTF8(text, "?"), "$0\u200b")
}

// cut shortens a text to a number of characters as Discord counts them: those beyond the first 65536 are two.
func cut(text string, most int) string {
	n, end := 0, 0
	for i, r := range text {
		if n += width(r); n < most {
			end = i + utf8.RuneLen(r)
		}
	}
	if n <= most {
		return text
	}
	return text[:end] + "…"
}

func width(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}
