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

// edits counts the bytes to insert, delete, change or swap with their neighbour to make b of a.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1) // rows[i][j]: from the first i bytes of a to the first j of b
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
