package nginx

import (
	"fmt"
	"strings"
	"time"
)

// quote makes one nginx argument of a value. Nothing escapes a $: names are validated not to have one.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// span writes a duration the way nginx reads it: whole seconds, else milliseconds.
func span(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
