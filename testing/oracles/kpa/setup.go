package kpaoracle

// absent stands for a setting that is left out.
const absent = -1

// setup holds the settings of one history. Rates are in thousandths, times in seconds.
type setup struct {
	seconds                       int64
	rps, toZero                   bool
	concurrency, target, percent  int64
	window, panicWindow, panicked int64 // seconds and per cent
	upRate, downRate              int64
	burst, delay, grace, keep     int64
	min, max, activation, initial int64
	deadline                      int64
	start, startDelay, level      int64
}

func drawSetup(d *draws) setup {
	s := setup{seconds: 150 + d.below(250)}
	s.rps = d.chance(25)
	s.toZero = !d.chance(10)
	s.concurrency = d.pick(0, 0, 1, 10, 100)
	s.target = absent
	if d.chance(60) {
		s.target = 1 + d.below(200)
	}
	s.percent = absent
	if d.chance(30) {
		s.percent = 10 + d.below(91)
	}
	s.window = d.pick(60, 60, 6, 10, 30, 90)
	s.panicWindow = d.pick(10, 10, 1, 5, 20, 100)
	s.panicked = d.pick(200, 200, 110, 150, 400, 1000)
	s.upRate = d.pick(1000000, 1000000, 1100, 2000, 10000)
	s.downRate = d.pick(2000, 2000, 1100, 10000)
	s.burst = d.pick(211, 211, 0, -1, 20, 1000)
	s.delay = d.pick(0, 0, 0, 10, 31, 60)
	s.grace = d.pick(30, 30, 1, 6, 60)
	s.keep = d.pick(0, 0, 0, 30, 90)
	s.min = d.pick(0, 0, 0, 0, 1, 2)
	s.max = d.pick(0, 0, 5, 10, 50)
	s.activation = d.pick(absent, absent, absent, 1, 2, 4)
	s.initial = d.pick(absent, absent, 1, 2, 3)
	s.deadline = d.pick(600, 600, 1, 20)
	s.start = d.pick(0, 1, 1, 2, 3, 8)
	s.startDelay = d.pick(0, 1, 2, 5, 20, 60)
	s.level = 1000 * (1 + d.below(100))
	return s
}

func (s *setup) hash(h *digest) {
	h.put(s.seconds, bit(s.rps), bit(s.toZero), s.concurrency, s.target, s.percent)
	h.put(s.window, s.panicWindow, s.panicked, s.upRate, s.downRate)
	h.put(s.burst, s.delay, s.grace, s.keep, s.min, s.max, s.activation, s.initial)
	h.put(s.deadline, s.start, s.startDelay, s.level)
}
