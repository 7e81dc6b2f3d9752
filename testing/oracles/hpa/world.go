package hpaoracle

import "math"

// syncMS is the time between two syncs.
const syncMS = 15000

const (
	running = iota
	failed
	succeeded
)

type pod struct {
	id                       int64
	placed, starts, readyAt  int64 // milliseconds since the first sync
	end                      int64 // running, failed or succeeded
	deleting                 bool
	goneAt                   int64 // sync at which a deleted or ended pod disappears
	noCondition, noStartTime bool
	becameReady, ready       bool
	since                    int64
}

func (p *pod) live() bool { return !p.deleting && p.end == running }

// phase: 0 pending, 1 running, 2 failed, 3 succeeded.
func (p *pod) phase(now int64) int64 {
	switch {
	case p.end == failed:
		return 2
	case p.end == succeeded:
		return 3
	case now >= p.starts:
		return 1
	}
	return 0
}

func (p *pod) startTime(now int64) (int64, bool) { return p.placed, now >= p.placed && !p.noStartTime }

func (p *pod) condition(now int64) (ready bool, since int64, known bool) {
	return p.ready, p.since, now >= p.placed && !p.noCondition
}

type sample struct{ pod, milli, at, window int64 }

// reading: 0 samples, 1 totals, 2 unavailable, 3 empty.
type reading struct {
	kind    int64
	samples []sample
	totals  []int64
}

type world struct {
	*draws
	setup     *setup
	digest    digest
	now       int64
	spec      int64
	status    int64
	pods      []*pod
	lastID    int64
	demand    int64
	failUntil []int64
	readings  []reading
}

func newWorld(seed uint64) *world {
	w := &world{draws: &draws{seed}, digest: newDigest()}
	s := drawSetup(w.draws)
	w.setup = &s
	s.hash(&w.digest)
	w.failUntil = make([]int64, len(s.metrics))
	w.spec = 1 + w.below(s.max)
	if w.chance(8) {
		w.spec = w.below(s.max + 4)
	}
	w.demand = w.below(s.max*130 + 50)
	for range w.spec {
		p := w.newPod()
		age := w.below(900) * 1000
		p.placed, p.starts, p.readyAt, p.since = p.placed-age, p.starts-age, p.readyAt-age, p.since-age
	}
	return w
}

func (w *world) newPod() *pod {
	w.lastID++
	p := &pod{id: w.lastID}
	p.placed = w.now + w.pick(0, 0, 1, 7)*1000
	p.starts = p.placed + w.below(40)*1000
	p.readyAt = p.starts + w.below(60)*1000
	p.noCondition = w.chance(2)
	p.noStartTime = w.chance(2)
	p.since = p.placed
	w.pods = append(w.pods, p)
	return p
}

// tick moves the world to sync k and draws what the controller will see there.
func (w *world) tick(k int64) {
	w.now = k * syncMS
	if hand := int64(2) + 8*bit(w.spec == 0); k > 0 && w.chance(hand) {
		if w.below(4) == 0 {
			w.spec = 0
		} else {
			w.spec = w.below(w.setup.max + 5)
		}
	}
	w.reconcile(k)
	for _, p := range w.pods {
		w.live(p, k)
	}
	w.status = 0
	for _, p := range w.pods {
		w.status += bit(p.live())
	}
	w.load(k)
	w.hash()
}

// reconcile removes, retires and creates pods.
func (w *world) reconcile(k int64) {
	kept := w.pods[:0]
	for _, p := range w.pods {
		if p.live() || p.goneAt > k {
			kept = append(kept, p)
		}
	}
	w.pods = kept
	alive := int64(0)
	for _, p := range w.pods {
		alive += bit(p.live())
	}
	for i := len(w.pods) - 1; i >= 0 && alive > w.spec; i-- {
		if p := w.pods[i]; p.live() {
			p.deleting, p.goneAt = true, k+1+w.below(3)
			alive--
		}
	}
	for missing := min(w.spec-alive, w.setup.createRate); missing > 0; missing-- {
		w.newPod()
	}
}

// live lets one sync period happen to a pod.
func (w *world) live(p *pod, k int64) {
	if !p.becameReady && w.now >= p.readyAt {
		p.becameReady, p.ready, p.since = true, true, p.readyAt
	}
	if !p.live() {
		return
	}
	switch fate := w.below(1000); {
	case fate < 8:
		p.end, p.goneAt = failed, k+1+w.below(4)
	case fate < 12:
		p.end, p.goneAt = succeeded, k+1+w.below(4)
	case fate < 40 && p.becameReady:
		p.ready, p.since = !p.ready, w.now-w.below(15)*1000
	}
}

// load draws the readings.
func (w *world) load(k int64) {
	if w.chance(10) {
		w.demand = w.below(w.setup.max*130 + 50)
	}
	if w.chance(4) {
		w.demand = 0
	}
	ready := int64(0)
	for _, p := range w.pods {
		ready += bit(p.phase(w.now) == 1 && p.ready)
	}
	level := w.demand / max(1, ready)
	exact := w.chance(15)
	if exact {
		level = w.pick(90, 95, 100, 105, 110, 111)
	}
	w.readings = w.readings[:0]
	for i, m := range w.setup.metrics {
		w.readings = append(w.readings, w.read(int64(i), m, k, level, exact))
	}
}

func (w *world) read(i int64, m metricSetup, k, level int64, exact bool) reading {
	for j := range i {
		if sameNeed(w.setup.metrics[j], m) {
			return w.readings[j]
		}
	}
	if w.chance(3) {
		w.failUntil[i] = k + 1 + w.below(4)
	}
	if k < w.failUntil[i] {
		return reading{kind: 2 + w.below(2)}
	}
	if m.perTarget() {
		return w.readTotal(m, level, exact)
	}
	return w.readPods(w.setup.perPod(m), level, exact)
}

func (w *world) noise(value int64, exact bool) int64 {
	if exact {
		return value
	}
	return value * (90 + w.below(21)) / 100
}

func (w *world) readTotal(m metricSetup, level int64, exact bool) reading {
	value := m.target * level / 100
	if m.kind == objectAverage || m.kind == externalAverage {
		value = m.target * w.demand / 100
		if exact {
			value = m.target * w.status * level / 100
		}
	}
	value = w.noise(value, exact)
	if m.kind == objectValue || m.kind == objectAverage {
		return reading{kind: 1, totals: []int64{value}}
	}
	var totals []int64
	for parts := w.below(3); parts > 0; parts-- {
		part := value / 2
		totals = append(totals, part)
		value -= part
	}
	totals = append(totals, value)
	if w.chance(3) {
		totals = append(totals, -(1 + w.below(m.target)))
	}
	if w.chance(1) && w.spec > 0 {
		totals = append(totals, math.MaxInt64-w.below(3), 1+w.below(100))
	}
	return reading{kind: 1, totals: totals}
}

func (w *world) readPods(perPod, level int64, exact bool) reading {
	r := reading{kind: 0}
	for _, p := range w.pods {
		odds := 100 - w.setup.missing
		switch phase := p.phase(w.now); {
		case phase == 0:
			odds = 10
		case phase >= 2:
			odds = 30
		}
		if !w.chance(odds) {
			continue
		}
		value := w.noise(perPod*level/100, exact)
		at := w.now - w.below(60)*1000 - w.below(2)*500
		r.samples = append(r.samples, sample{p.id, value, at, w.pick(15, 30, 60) * 1000})
	}
	if w.chance(2) {
		r.samples = append(r.samples, sample{1_000_000, perPod, w.now, 15000})
	}
	return r
}

// sameNeed tells whether two metrics ask the same question.
func sameNeed(a, b metricSetup) bool {
	question := func(m metricSetup) int64 {
		switch m.kind {
		case cpuUtilization, cpuAverage:
			return 0
		case memoryUtilization, memoryAverage:
			return 1
		case containerCPUUtilization, containerCPUAverage:
			return 2 + m.container
		case containerMemoryUtilization:
			return 4 + m.container
		}
		return absent
	}
	return question(a) >= 0 && question(a) == question(b)
}

// perPod is the value of one pod that is at its target.
func (s *setup) perPod(m metricSetup) int64 {
	sum := int64(0)
	switch m.kind {
	case cpuUtilization, memoryUtilization:
		for c := range s.requests {
			sum += max(0, s.requests[c][m.kind])
		}
	case containerCPUUtilization, containerMemoryUtilization:
		sum = max(0, s.requests[m.container][m.kind-containerCPUUtilization])
	default:
		return m.target
	}
	if sum == 0 {
		return 100000
	}
	return sum * m.target / 100
}

func (w *world) hash() {
	h := &w.digest
	h.put(w.now, w.spec, w.status, int64(len(w.pods)))
	for _, p := range w.pods {
		start, started := p.startTime(w.now)
		ready, since, known := p.condition(w.now)
		h.put(p.id, p.phase(w.now), bit(started), start, bit(known), bit(ready), since, bit(p.deleting))
	}
	for _, r := range w.readings {
		h.put(r.kind, int64(len(r.samples)), int64(len(r.totals)))
		for _, s := range r.samples {
			h.put(s.pod, s.milli, s.at, s.window)
		}
		h.put(r.totals...)
	}
}
