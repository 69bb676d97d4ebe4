package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const sumsName = "SHA256SUMS"

// writeSums writes the sums of all files in the folder, as sha256sum does and checks them, and shows the files.
func writeSums(folder string, said io.Writer) error {
	files, err := filepath.Glob(filepath.Join(folder, "bluegreen-*"))
	if err != nil {
		return err
	}
	var sums, list strings.Builder
	for _, file := range files { // Glob sorts them
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), filepath.Base(file))
		fmt.Fprintf(&list, "%8.2f MiB  %s\n", float64(len(content))/(1<<20), file)
	}
	file := filepath.Join(folder, sumsName)
	if err := os.WriteFile(file, []byte(sums.String()), 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(said, "%s%14s%s\n", &list, "", file) // after the sums: nobody may read it
	return err
}
