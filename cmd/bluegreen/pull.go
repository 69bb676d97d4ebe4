package main

import (
	"fmt"
	"strings"
	"time"

	units "github.com/docker/go-units"

	"bluegreen/swap"
)

// The engine's words for how far a layer is.
const (
	layerDownloading = "Downloading"
	layerExtracting  = "Extracting"
	layerComplete    = "Pull complete"
	layerThere       = "Already exists"
)

// pulling is an image under way, as the engine tells of its layers.
type pulling struct {
	image  string
	since  time.Time
	layers map[string]swap.Layer
	sizes  map[string]int64 // bytes to download
	got    map[string]int64 // bytes downloaded
}

// after takes what an event says of a pull: the state of before, nil when there was none, becomes that of after, nil when
// the pull has ended.
func (p *pulling) after(e swap.Event) *pulling {
	switch {
	case e.Pull == "":
		return p
	case e.Layer == nil && e.Duration > 0:
		return nil
	case p == nil || p.image != e.Pull:
		p = &pulling{image: e.Pull, since: e.Time, layers: map[string]swap.Layer{}, sizes: map[string]int64{}, got: map[string]int64{}}
	}
	if e.Layer != nil {
		p.layer(*e.Layer)
	}
	return p
}

func (p *pulling) layer(l swap.Layer) {
	p.layers[l.ID] = l
	switch {
	case l.Status == layerDownloading:
		p.got[l.ID], p.sizes[l.ID] = l.Current, max(l.Total, l.Current)
	case p.sizes[l.ID] > 0: // whatever comes next, it is here
		p.got[l.ID] = p.sizes[l.ID]
	}
}

// String is how far it is: layers, bytes as far as they are known, and what goes on now.
func (p *pulling) String() string {
	done, extracting := 0, false
	for _, l := range p.layers {
		switch l.Status {
		case layerComplete, layerThere:
			done++
		case layerExtracting:
			extracting = true
		}
	}
	var got, all int64
	for id := range p.sizes {
		got, all = got+p.got[id], all+p.sizes[id]
	}
	var b strings.Builder
	fmt.Fprintf(&b, "pulling %s: %d of %s", p.image, done, counted(len(p.layers), "layer"))
	if all > 0 {
		fmt.Fprintf(&b, ", %s of %s", size(got), size(all))
	}
	if extracting && got == all {
		b.WriteString(", unpacking")
	}
	return b.String()
}

// size is a number of bytes as a person reads it.
func size(n int64) string { return units.HumanSizeWithPrecision(float64(n), 3) }

// layerPause is how often one layer is worth a line of JSON while its status stays the same.
const layerPause = time.Second

// layerLog says which of a layer's many messages are worth a line of their own.
type layerLog struct {
	said map[string]swap.Event // the last of each
	// pause is how soon the same status of a layer is worth another; 0: never.
	pause time.Duration
}

// worth says whether an event is to be told; one without a layer always is.
func (l *layerLog) worth(e swap.Event) bool {
	if e.Layer == nil {
		if e.Pull != "" {
			l.said = nil // a pull begins, or has ended
		}
		return true
	}
	last, ok := l.said[e.Layer.ID]
	same := ok && last.Layer.Status == e.Layer.Status
	if same && (l.pause == 0 || e.Time.Sub(last.Time) < l.pause) {
		return false
	}
	if l.said == nil {
		l.said = map[string]swap.Event{}
	}
	l.said[e.Layer.ID] = e
	return true
}
