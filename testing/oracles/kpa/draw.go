// Package kpaoracle runs upstream's Knative autoscaler (metric collector, multi-scaler, decider and the
// scaler with its zero logic) over generated histories in virtual time. The generator is specified in
// ../README.md and has a twin in Rust; every number comes from a splitmix64 stream.
package kpaoracle

// draws is a splitmix64 stream.
type draws struct{ state uint64 }

func (d *draws) next() uint64 {
	d.state += 0x9E3779B97F4A7C15
	z := d.state
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// below draws from 0..n.
func (d *draws) below(n int64) int64 { return int64(d.next() % uint64(n)) }

// chance is true in so many of 100 cases.
func (d *draws) chance(percent int64) bool { return d.below(100) < percent }

// pick draws one of the values.
func (d *draws) pick(values ...int64) int64 { return values[d.below(int64(len(values)))] }

// digest is FNV-1a with 64 bits over words of eight bytes, the lowest byte first.
type digest uint64

func newDigest() digest { return 0xCBF29CE484222325 }

func (h *digest) put(words ...int64) {
	for _, word := range words {
		for shift := 0; shift < 64; shift += 8 {
			*h = (*h ^ digest(byte(uint64(word)>>shift))) * 0x100000001B3
		}
	}
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
