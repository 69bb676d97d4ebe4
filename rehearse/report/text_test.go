package report

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func written(t *testing.T, r Report, width int, color bool) string {
	t.Helper()
	var b strings.Builder
	if err := r.WriteText(&b, width, color); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func everyReport() map[string]Report {
	all := samples()
	all["hostile"], all["empty"] = hostile(), Report{}
	return all
}

func TestTextHonoursWidthAndHasNoControlCharacters(t *testing.T) {
	for name, r := range everyReport() {
		for _, width := range []int{0, 60, 80, 100, 200} {
			for _, color := range []bool{false, true} {
				for line := range strings.Lines(written(t, r, width, color)) {
					line = strings.TrimSuffix(line, "\n")
					if visible(line) > max(width, minWidth) {
						t.Errorf("%s at %d: %d columns: %q", name, width, visible(line), line)
					}
					for _, r := range unpainted(line) {
						if unicode.IsControl(r) || !color && r >= utf8.RuneSelf {
							t.Fatalf("%s at %d, color %v: %U in %q", name, width, color, r, line)
						}
					}
					if !color && strings.Contains(line, "\x1b") {
						t.Errorf("%s is painted: %q", name, line)
					}
				}
			}
		}
	}
}

// unpainted takes out our own colours, and nothing else that begins with an escape.
func unpainted(s string) string {
	for _, style := range []string{"0", bold, faint, red, green, blue, yellow, bold + ";" + red, bold + ";" + green} {
		s = strings.ReplaceAll(s, "\x1b["+style+"m", "")
	}
	return s
}

func TestTextIsShort(t *testing.T) {
	for name, most := range map[string]int{"five": 45, "failed": 50, "compared": 45, "observed": 30, "interrupted": 40, "twenty": 40, "hour": 40} {
		if n := strings.Count(written(t, samples()[name], 100, false), "\n"); n > most {
			t.Errorf("%s takes %d lines, more than %d", name, n, most)
		}
	}
}

func TestTextSaysTheVerdictFirst(t *testing.T) {
	for name, begins := range map[string]string{
		"five": "PASSED  No request was lost", "failed": "FAILED  65 of 22,000 requests were lost.\n  - 65 requests lost", "interrupted": "FAILED  Interrupted after 1 of 5 swaps",
	} {
		if got := written(t, samples()[name], 100, false); !strings.HasPrefix(got, begins) {
			t.Errorf("%s begins %q", name, got[:100])
		}
	}
}

func TestTextAlwaysSaysWhatWasLost(t *testing.T) {
	for name, want := range map[string]string{"five": "lost                     0", "failed": "lost                    65", "observed": "lost          0"} {
		if got := written(t, samples()[name], 100, false); !strings.Contains(got, "\n"+want) {
			t.Errorf("%s does not say %q:\n%s", name, want, got)
		}
	}
	got := written(t, samples()["failed"], 100, false)
	if !strings.Contains(got, "\nreset                   49") || strings.Contains(got, "refused") {
		t.Errorf("not exactly the outcomes that occurred:\n%s", got)
	}
}

func TestTextSumsManySwapsUp(t *testing.T) {
	got := written(t, samples()["twenty"], 100, false)
	if !strings.Contains(got, "20 swaps         median   worst  in swap\n") || strings.Contains(got, "19 to 20") {
		t.Errorf("no summary:\n%s", got)
	}
	r := samples()["twenty"]
	r.Runs[0].Swaps[12].Lost = 7
	if got := written(t, r, 100, false); !strings.Contains(got, "\n13    13 to 14    real2") {
		t.Errorf("the swap that lost something has no row:\n%s", got)
	}
}

func TestTextPictureMarksSwapsAndLosses(t *testing.T) {
	lines := strings.Split(written(t, samples()["failed"], 100, false), "\n")
	var swaps, lost string
	for _, l := range lines {
		if strings.HasPrefix(l, "  swap  ") {
			swaps = l
		}
		if strings.HasPrefix(l, "  lost  ") {
			lost = l
		}
	}
	if strings.Count(swaps, "^") != 5 || strings.Count(lost, "x") != 5 {
		t.Errorf("marks %q and %q", swaps, lost)
	}
	for i := range swaps {
		if swaps[i] == '^' && !strings.Contains(lost[max(0, i-1):min(len(lost), i+2)], "x") {
			t.Errorf("the swap in column %d lost requests elsewhere: %q", i, lost)
		}
	}
}

func TestTextComparesSideBySide(t *testing.T) {
	got := written(t, samples()["compared"], 100, false)
	for _, want := range []string{"bluegreen  the recipe", "\nlost                                      0         310", "bluegreen lost 0 of 22,000 requests in 5 swaps, the recipe 310 of 22,000"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func ExampleReport_WriteText() {
	r := sampleReport(sampleRun(shape{RunBluegreen, 2, 4000, 1000, 0, 0, 100, 9000}))
	r.Setup.Notes = nil
	if err := r.WriteText(os.Stdout, 80, false); err != nil {
		fmt.Println(err)
	}
	// Output:
	// PASSED  No request was lost: 9,000 requests, 2 swaps.
	//
	// web hello:v1, hello:v2 - nginx 1.30.6 - engine 20.10.24 - bluegreen 1.4.0 -
	// linux/amd64
	// 1,000/s to http://127.0.0.1:8088/ over 32 connections HTTP/1.1 - 50% GET /, 50%
	// POST /echo (256 bytes) - 2 slow, 4 websocket - 9.0 s
	//
	// requests             9,000     latency   before   during    after
	// ok                   9,000     p50      0.80 ms  0.91 ms  0.81 ms
	// lost                     0     p90       1.3 ms   1.7 ms   1.4 ms
	// slow, whole       40 of 40     p99       2.2 ms   3.1 ms   2.3 ms
	// websocket, whole    4 of 4     p99.9     4.9 ms   7.4 ms   5.2 ms
	//                                p99.99    6.3 ms    11 ms   7.0 ms
	//                                max       8.1 ms    18 ms   9.4 ms
	//
	// longest time without a good answer: 4.2 ms
	//
	// swap  release  profile  confirmed  drained     gap     p99  lost
	// 1      1 to 2    real2     225 ms   702 ms  3.9 ms  3.5 ms     0
	// 2      2 to 3    real1     226 ms   578 ms  3.9 ms  3.4 ms     0
	// confirmed and drained count from the switch
	//
	// latency: # p99  : max
	//        |                :                               :
	//  10 ms |           :::::: :                        ::  :::
	//        |:  : ::::  :::::::: :    : :::   :: :  :: :::::::: :    : :::  :::::  ::
	//        |:::::::::::#:######::::::::::::::::::::::::#::::##::::::::::::::::::::::
	//        |#:#######::###################:######################:##################
	//        |########################################################################
	//   1 ms |########################################################################
	//        |########################################################################
	//   swap                  ^                               ^
	//         0                                                                    9 s
}
