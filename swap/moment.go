package swap

import "time"

// Moment is a point in time as people read it: by the clock of the machine that they sit at, whose zone it names. What
// programs read has RFC 3339 in UTC.
func Moment(t time.Time) string { return t.Local().Format(time.DateTime + " MST") }

// MomentOf is Moment for what a label or JSON says; what is no time stays as it is.
func MomentOf(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return Moment(t)
}
