// Command release makes what is published of one commit of bluegreen: for each platform an archive with the binary, the
// documents, the man pages and the completions, for Linux also an image, and the sums of them all. The same commit, version
// and Go give the same bytes.
//
// It is run by `make release`, in the repository's root, and needs Go and git.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	var r release
	flag.StringVar(&r.version, "version", "", "`version` that is stamped on everything, such as v1.2.3")
	flag.StringVar(&r.out, "out", "dist", "`folder` that the files are written to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	r.root, r.said = ".", os.Stdout
	err := r.make(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}
