package rehearse

import "strings"

// FailedError is a verdict that is not "passed".
type FailedError struct{ Failures []string }

func (e *FailedError) Error() string {
	return "the rehearsal failed: " + strings.Join(e.Failures, "; ")
}
