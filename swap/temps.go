package swap

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"bluegreen/nginx"
)

// temporary finds the run of a temporary file or folder of nginx's volume, by its name (nginx/apply.sh, nginx.StoreTemp).
var temporary = regexp.MustCompile(`^(.*\.bg-(?:tmp|old)-([0-9a-f]{12})(?:-[0-9]+)?|\.try-([0-9a-f]{12})(?:-[0-9]+)?)(?:/.*)?$`)

// clearTemporary removes the temporary files that killed runs left in nginx's volume, also when this run has nothing else to do
// there.
func (j *job) clearTemporary(ctx context.Context) (changed bool, err error) {
	if !j.obs.NginxRuns() {
		return false, nil
	}
	left := map[string]string{} // by path, whose
	for name := range j.obs.Files {
		if m := temporary.FindStringSubmatch(name); m != nil {
			left[m[1]] = m[2] + m[3]
		}
	}
	if len(left) == 0 {
		return false, nil
	}
	busy, _, err := j.busyRuns(ctx)
	if err != nil {
		return false, err
	}
	var change nginx.Change
	for name, run := range left {
		if !busy[run] {
			change.Files = append(change.Files, nginx.File{Path: name, Remove: true})
		}
	}
	if len(change.Files) == 0 {
		return false, nil
	}
	slices.SortFunc(change.Files, func(a, b nginx.File) int { return strings.Compare(a.Path, b.Path) })
	return true, j.underHostLock(ctx, func(ctx context.Context) error { return j.apply(ctx, change) })
}
