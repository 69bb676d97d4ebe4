//go:build !race

package swap

const sampled = 1
