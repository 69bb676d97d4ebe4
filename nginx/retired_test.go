package nginx

import (
	"fmt"
	"testing"
	"time"
)

func TestAWorkerIsRetiredWhenTheNextGenerationStarts(t *testing.T) {
	const serving, draining = workerTitle, drainingTitle
	for name, c := range map[string]struct {
		ages map[int]string // by age in seconds; one process each
		want string
	}{
		"nothing is retired":                     {map[int]string{100: masterTitle, 90: serving}, "[]"},
		"by the one generation after it":         {map[int]string{900: masterTitle, 100: draining, 40: serving}, "[40s]"},
		"by the first of two":                    {map[int]string{900: masterTitle, 100: draining, 60: draining, 40: serving}, "[1m0s 40s]"},
		"whose workers seem a second apart":      {map[int]string{100: draining, 99: draining, 40: serving}, "[40s 40s]"},
		"by a generation a second younger":       {map[int]string{100: draining, 99: serving}, "[1m39s]"},
		"just now":                               {map[int]string{100: draining, 0: serving}, "[0s]"},
		"nginx's helpers are no generation":      {map[int]string{100: draining, 80: "nginx: cache manager process", 40: serving}, "[40s]"},
		"an ended generation cannot be seen":     {map[int]string{100: draining}, "[0s]"},
		"the master is no generation either":     {map[int]string{50: masterTitle, 100: draining, 40: serving}, "[40s]"},
		"the youngest generation is all we have": {map[int]string{2: draining, 1: serving}, "[1s]"},
	} {
		t.Run(name, func(t *testing.T) {
			var list []AgedProcess
			for age := 1000; age >= 0; age-- {
				if title, ok := c.ages[age]; ok {
					list = append(list, AgedProcess{Process{PID: age + 1, Title: title}, time.Duration(age) * time.Second})
				}
			}
			got := []time.Duration{}
			for _, r := range RetiredFor(list) {
				got = append(got, r.For)
			}
			if fmt.Sprint(got) != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
}
