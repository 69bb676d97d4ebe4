package main

import (
	"archive/tar"
	"archive/zip"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// entry is one file of an archive. Who owns it, and its date, are the same for all.
type entry struct {
	name    string
	program bool
	content []byte
}

func (e entry) mode() fs.FileMode {
	if e.program {
		return 0o755
	}
	return 0o644
}

// format writes entries as one archive, dated.
type format func(w io.Writer, entries []entry, date time.Time) error

// archive writes a platform's archive: all of it in one folder.
func (r *release) archive(p platform, binary []byte, more []entry) error {
	form, end := format(tarGz), ".tar.gz"
	if p.os == "windows" {
		form, end = zipped, ".zip"
	}
	folder := r.name(p.os + "-" + p.arch)
	return r.write(folder+end, form, append([]entry{{name: p.program(), program: true, content: binary}}, more...), folder)
}

// write writes a file of the release. All entries are in one folder of it, or in none ("").
func (r *release) write(name string, form format, entries []entry, folder string) error {
	entries = slices.Clone(entries)
	for i, e := range entries {
		entries[i].name = path.Join(folder, e.name)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	file, err := os.Create(filepath.Join(r.out, name))
	if err != nil {
		return err
	}
	return errors.Join(form(file, entries, r.commit.date), file.Close())
}

func tarGz(w io.Writer, entries []entry, date time.Time) error {
	packed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	return errors.Join(tarred(packed, entries, date), packed.Close())
}

// tarred leaves the owner away: that is 0, without a name.
func tarred(w io.Writer, entries []entry, date time.Time) error {
	archive := tar.NewWriter(w)
	for _, e := range entries {
		err := archive.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Format: tar.FormatUSTAR, Name: e.name, Mode: int64(e.mode()), Size: int64(len(e.content)), ModTime: date,
		})
		if err == nil {
			_, err = archive.Write(e.content)
		}
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

func zipped(w io.Writer, entries []entry, date time.Time) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: date}
		header.SetMode(e.mode())
		file, err := archive.CreateHeader(header)
		if err == nil {
			_, err = file.Write(e.content)
		}
		if err != nil {
			return err
		}
	}
	return archive.Close()
}
