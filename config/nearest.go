package config

import "fmt"

// didYouMean is ": did you mean X?" when a known name is close, else "".
func didYouMean(name string, known []string) string {
	if best := nearest(name, known); best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	return ""
}

// nearest is the known name with the fewest edits, "" when even that takes more than a third of it.
func nearest(name string, known []string) string {
	best, fewest := "", 0
	for _, k := range known {
		d := edits(name, k)
		if d <= max(1, len(k)/3) && (best == "" || d < fewest) {
			best, fewest = k, d
		}
	}
	return best
}

// edits counts the bytes to insert, delete or change to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
