package main

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// binaryFor is the binary in a platform's archive.
func binaryFor(t *testing.T, p platform) []byte {
	t.Helper()
	for _, f := range unpack(t, archiveName(p)) {
		if path.Base(f.name) == p.program() {
			return f.content
		}
	}
	t.Fatalf("no binary in %s", archiveName(p))
	return nil
}

// machine is the platform that a program is for, as the headers of its file say.
func machine(content []byte) string {
	r := bytes.NewReader(content)
	if f, err := elf.NewFile(r); err == nil {
		return fmt.Sprint("ELF ", f.Machine, " ", f.Type)
	}
	if f, err := macho.NewFile(r); err == nil {
		return fmt.Sprint("Mach-O ", f.Cpu, " ", f.Type)
	}
	if f, err := pe.NewFile(r); err == nil {
		return fmt.Sprintf("PE %#x", f.Machine)
	}
	return "unknown"
}

func TestEachBinaryIsForItsPlatform(t *testing.T) {
	dist(t)
	for p, want := range map[platform]string{
		{"linux", "amd64"}: "ELF EM_X86_64 ET_EXEC", {"linux", "arm64"}: "ELF EM_AARCH64 ET_EXEC",
		{"darwin", "amd64"}: "Mach-O CpuAmd64 Exec", {"darwin", "arm64"}: "Mach-O CpuArm64 Exec",
		{"windows", "amd64"}: fmt.Sprintf("PE %#x", pe.IMAGE_FILE_MACHINE_AMD64), {"windows", "arm64"}: fmt.Sprintf("PE %#x", pe.IMAGE_FILE_MACHINE_ARM64),
	} {
		content := binaryFor(t, p)
		if got := machine(content); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
		info, err := buildinfo.Read(bytes.NewReader(content))
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		said := fmt.Sprint(info.Settings)
		for _, setting := range []string{"{GOOS " + p.os + "}", "{GOARCH " + p.arch + "}", "{CGO_ENABLED 0}", "{-trimpath true}"} {
			if !strings.Contains(said, setting) {
				t.Errorf("%s: %s is not in %s", p, setting, said)
			}
		}
	}
}

// TestEachBinaryHasTheVersionAndNothingOfTheMachineThatMadeIt.
func TestEachBinaryHasTheVersionAndNothingOfTheMachineThatMadeIt(t *testing.T) {
	dist(t)
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range platforms {
		content := binaryFor(t, p)
		if !bytes.Contains(content, []byte(testVersion)) {
			t.Errorf("%s: no %s in it", p, testVersion)
		}
		if bytes.Contains(content, []byte(here+"/")) {
			t.Errorf("%s: %s is in it", p, here)
		}
	}
}

func TestTheProgramForThisMachineRuns(t *testing.T) {
	program := programHere(t)
	want := fmt.Sprintf("bluegreen %s (%s, %s/%s)\n", testVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, args := range []string{"version", "--version"} {
		if got, err := output(t.Context(), t.TempDir(), withoutSettings(), program, args); err != nil || string(got) != want {
			t.Errorf("%s: %q, want %q (%v)", args, got, want, err)
		}
	}
	if got, err := output(t.Context(), t.TempDir(), nil, program, "deploy", "--help"); err != nil || !strings.Contains(string(got), "bluegreen deploy [SERVICE] [flags]") {
		t.Errorf("deploy --help: %s (%v)", got, err)
	}
	if _, err := output(t.Context(), t.TempDir(), nil, program, "manpages", "."); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("the command that writes the man pages is in the release: %v", err)
	}
}

// programHere is the release's binary for this machine, unpacked.
func programHere(t *testing.T) string {
	t.Helper()
	dist(t)
	for _, p := range platforms {
		if p.os == runtime.GOOS && p.arch == runtime.GOARCH {
			file := filepath.Join(t.TempDir(), p.program())
			if err := os.WriteFile(file, binaryFor(t, p), 0o755); err != nil {
				t.Fatal(err)
			}
			return file
		}
	}
	t.Skipf("SKIPPED: there is no release for %s/%s", runtime.GOOS, runtime.GOARCH)
	return ""
}
