//go:build race

package swap

// sampled is how many faults there are to one that is tried: the race detector makes every run ten times as slow,
// and finds what it can find in a few.
const sampled = 12
