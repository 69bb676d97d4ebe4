package load

import (
	"sync"
	"time"
)

// Timeline records when each release could answer. A test fills it in as it learns of it, also afterwards: answers are
// judged when the Report is made. The zero value is ready, and allows no release.
//
// A release may answer from the moment a switch to it begins until its container is stopped, that is, also while it
// drains and while it is warm. Old and new connections are not told apart.
type Timeline struct {
	mu    sync.Mutex
	spans map[string][]span
}

// span is one life of a release; a zero retired means that it goes on.
type span struct{ live, retired time.Time }

// Live notes that the first switch to version began at that time: no answer by it may arrive earlier. While the
// version is live or warm already, as before a rollback to it, nothing changes.
func (t *Timeline) Live(version string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spans == nil {
		t.spans = map[string][]span{}
	}
	if lives := t.spans[version]; len(lives) > 0 && lives[len(lives)-1].retired.IsZero() {
		return
	}
	t.spans[version] = append(t.spans[version], span{live: at})
}

// Retired notes that version's container, drained, was stopped at that time: no request sent later may be answered by
// it. A version that is not live is left as it is.
func (t *Timeline) Retired(version string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if lives := t.spans[version]; len(lives) > 0 && lives[len(lives)-1].retired.IsZero() {
		lives[len(lives)-1].retired = at
	}
}

// Allows says whether version may have given the answer to a request with these times. A nil Timeline allows all.
func (t *Timeline) Allows(version string, sent, answered time.Time) bool {
	if t == nil {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.spans[version] {
		if !answered.Before(s.live) && (s.retired.IsZero() || !sent.After(s.retired)) {
			return true
		}
	}
	return false
}
