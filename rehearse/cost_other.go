//go:build !unix

package rehearse

// costSoFar is not known here.
func costSoFar() cost { return cost{} }
