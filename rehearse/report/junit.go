package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The elements of JUnit's XML, as Jenkins, GitLab and others read it. Times are in seconds.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Out        string          `xml:"system-out"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"`
		Failure *junitFailure `xml:"failure"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// junitText is how wide and in which form the report stands in system-out.
const junitText = 100

// WriteJUnit writes the report as JUnit XML: a test case for each limit and for each swap of the run that the verdict is
// about. The whole report as text is its system-out.
func (r Report) WriteJUnit(w io.Writer) error {
	var out strings.Builder
	if err := r.WriteText(&out, junitText, false); err != nil {
		return err
	}
	cases := r.junitCases()
	failed := 0
	for _, c := range cases {
		if c.Failure != nil {
			failed++
		}
	}
	took := seconds(r.Duration)
	text, err := xml.MarshalIndent(junitSuites{
		Name: "bluegreen rehearse", Tests: len(cases), Failures: failed, Time: took,
		Suites: []junitSuite{{
			Name: clean(r.class()), Tests: len(cases), Failures: failed, Time: took,
			Timestamp: r.Began.UTC().Format("2006-01-02T15:04:05"), Properties: r.junitProperties(), Cases: cases, Out: out.String(),
		}},
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit XML: %w", err)
	}
	_, err = w.Write(append([]byte(xml.Header), append(text, '\n')...))
	return err
}

// class is what the test cases are about.
func (r Report) class() string { return joined(".", "rehearse", r.Setup.Service) }

func (r Report) junitProperties() []junitProperty {
	var list []junitProperty
	for _, f := range r.facts() {
		list = append(list, junitProperty{Name: f.Name, Value: clean(strings.Join(f.Values, "; "))})
	}
	return list
}

func (r Report) junitCases() []junitCase {
	main := r.main()
	cases := []junitCase{r.lostCase(main)}
	if r.Limits.MaxP99 != nil {
		cases = append(cases, r.p99Case(main, *r.Limits.MaxP99))
	}
	for _, s := range main.Swaps {
		c := junitCase{
			Name: fmt.Sprintf("swap %d: release %d to %d", s.Number, s.From, s.Release), Class: clean(r.class()), Time: seconds(s.Ended - s.Began),
			Out: fmt.Sprintf("%s lost, longest gap %s, p99 %s, confirmed %s after the switch began", count(s.Lost), s.Gap, s.P99, s.Confirmed-s.Switched),
		}
		if s.Error != "" {
			c.fail("swap", s.Error)
			c.Out = ""
		}
		cases = append(cases, c)
	}
	// What made the verdict and has no case of its own: an interrupted rehearsal, say.
	if !r.Verdict.Passed && !anyFailed(cases) {
		c := junitCase{Name: "the rehearsal passes", Class: clean(r.class()), Time: seconds(r.Duration)}
		c.fail("verdict", joined("; ", append([]string{r.Verdict.Text}, r.Verdict.Failures...)...))
		cases = append(cases, c)
	}
	return cases
}

func (r Report) lostCase(main Run) junitCase {
	c := junitCase{Name: fmt.Sprintf("no more than %s lost", plural(r.Limits.MaxLost, "request")), Class: clean(r.class()), Time: seconds(main.Duration)}
	if lost := main.LostInAll(); lost > r.Limits.MaxLost {
		var kinds []string
		for _, o := range main.Outcomes {
			if o.Lost && o.Count > 0 {
				kinds = append(kinds, o.Name+" "+count(o.Count))
			}
		}
		for _, o := range main.Others {
			if o.Lost > 0 {
				kinds = append(kinds, o.Kind+" "+count(o.Lost))
			}
		}
		c.fail("lost", joined(": ", fmt.Sprintf("%s of %s requests lost", count(lost), count(main.Requests)), strings.Join(kinds, ", ")))
	}
	return c
}

func (r Report) p99Case(main Run, limit MS) junitCase {
	c := junitCase{Name: "p99 at most " + limit.String(), Class: clean(r.class()), Time: seconds(main.Duration)}
	if got := main.Phase(PhaseAll).P99; got > limit {
		c.fail("p99", fmt.Sprintf("p99 is %s, more than %s", got, limit))
	}
	return c
}

func (c *junitCase) fail(kind, text string) {
	text = clean(text)
	c.Failure = &junitFailure{Message: text, Type: kind, Text: text}
}

func anyFailed(cases []junitCase) bool {
	for _, c := range cases {
		if c.Failure != nil {
			return true
		}
	}
	return false
}

func seconds(m MS) string { return fmt.Sprintf("%.3f", float64(m)/1e3) }
