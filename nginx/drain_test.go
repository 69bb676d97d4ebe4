package nginx

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestDrainWaitsForTheLastOldWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{looks: [][]Process{look(20, -10, -11), look(20, -10, -11), look(20, -10), look(20, -10), look(20)}}
		var reports []int
		start := time.Now()
		err := Drain(t.Context(), p, time.Minute, func(left int, _ time.Duration) { reports = append(reports, left) })
		if err != nil || !slices.Equal(reports, []int{2, 1, 0}) {
			t.Errorf("got %v, reports %v", err, reports)
		}
		if took := time.Since(start); took != (50+100+200+400)*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestDrainWithoutOldWorkersReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := Drain(t.Context(), &scripted{looks: [][]Process{look(20)}}, 0, nil); err != nil || time.Since(start) != 0 {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// Other services may be deployed all the time: there would always be some old worker.
func TestDrainWaitsForNoWorkerThatWasRetiredMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &scripted{looks: [][]Process{look(20, -10, -11), look(30, -10, -20), look(40, -20, -30), look(50, -40)}}
		start := time.Now()
		if err := Drain(t.Context(), p, time.Minute, nil); err != nil || time.Since(start) != 150*time.Millisecond {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestDrainSaysWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := Drain(t.Context(), &scripted{looks: [][]Process{look(20, -10, -11)}}, 3*time.Second, nil)
		var not *NotDrainedError
		if !errors.As(err, &not) || not.Left != 2 || not.After != 3*time.Second {
			t.Errorf("got %v", err)
		}
	})
}

func TestDrainEndsWithItsContextOrItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := Drain(ctx, &scripted{looks: [][]Process{look(-10)}}, time.Minute, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		gone := errors.New("no such container")
		if err := Drain(t.Context(), &scripted{looks: [][]Process{look(-10)}, err: gone}, time.Minute, nil); !errors.Is(err, gone) {
			t.Errorf("got %v", err)
		}
	})
}
