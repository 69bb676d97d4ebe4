package main

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// reportFile is a file that a report goes to. It is open from before the rehearsal, so that one which cannot be written is
// found then.
type reportFile struct {
	file  *os.File // nil: none was asked for
	isNew bool
	done  bool
}

// openReport opens a file, and leaves what is in it. A pipe that nobody reads is an error.
func openReport(path string) (*reportFile, error) {
	if path == "" {
		return &reportFile{}, nil
	}
	_, missing := os.Stat(path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, flagError("report file "+path, "cannot be written: "+errors.Unwrap(err).Error(), "Give another path.")
	}
	if sameAsStdout(file) {
		return nil, errors.Join(flagError("report file "+path, "is the standard output, which has the report as text, or as JSON (-o json)", "Give another path."), file.Close())
	}
	return &reportFile{file: file, isNew: missing != nil}, nil
}

func sameAsStdout(file *os.File) bool {
	a, err1 := file.Stat()
	b, err2 := os.Stdout.Stat()
	return err1 == nil && err2 == nil && a.Mode().IsRegular() && os.SameFile(a, b)
}

// begin empties the file: where the rehearsal ends without a report, an earlier one's is not to be taken for it.
func (r *reportFile) begin() error {
	if r.file == nil {
		return nil
	}
	if info, err := r.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return r.file.Truncate(0)
}

func (r *reportFile) write(report func(io.Writer) error) error {
	if r.file == nil {
		return nil
	}
	r.done = true
	return errors.Join(report(r.file), r.file.Close())
}

// close gives up a file that no report came to, and removes one that is there only since openReport.
func (r *reportFile) close() {
	if r.file == nil || r.done {
		return
	}
	_ = r.file.Close() // nothing was written
	if info, err := os.Lstat(r.file.Name()); r.isNew && err == nil && info.Mode().IsRegular() {
		_ = os.Remove(r.file.Name())
	}
}
