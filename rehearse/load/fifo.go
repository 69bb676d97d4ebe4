package load

// fifo is a queue that keeps its memory.
type fifo[T any] struct {
	ring  []T
	first int
	count int
}

func (f *fifo[T]) len() int { return f.count }

func (f *fifo[T]) push(item T) {
	if f.count == len(f.ring) {
		ring := make([]T, max(2*len(f.ring), 64))
		n := copy(ring, f.ring[f.first:])
		copy(ring[n:], f.ring[:f.first])
		f.ring, f.first = ring, 0
	}
	f.ring[(f.first+f.count)%len(f.ring)] = item
	f.count++
}

// pop returns the item that was pushed first; the queue must not be empty.
func (f *fifo[T]) pop() T {
	var none T
	item := f.ring[f.first]
	f.ring[f.first] = none
	f.first = (f.first + 1) % len(f.ring)
	f.count--
	return item
}
