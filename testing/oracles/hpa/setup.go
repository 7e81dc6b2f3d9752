package hpaoracle

// The metric kinds, by number: see ../README.md.
const (
	cpuUtilization = iota
	memoryUtilization
	cpuAverage
	memoryAverage
	containerCPUUtilization
	containerMemoryUtilization
	containerCPUAverage
	podsAverage
	objectValue
	objectAverage
	externalValue
	externalAverage
	metricKinds
)

const mebibyte = 1 << 20

// absent stands for a field that is left out.
const absent = -1

type metricSetup struct {
	kind      int64
	container int64 // 0 or 1; looked at by the container kinds only
	target    int64 // per cent, or thousandths
}

func (m metricSetup) perTarget() bool { return m.kind >= objectValue }

type policySetup struct{ kind, value, period int64 } // kind: 0 pods, 1 per cent

type rulesSetup struct {
	present   bool
	window    int64
	selection int64 // 0 left out, 1 Max, 2 Min, 3 Disabled
	tolerance int64
	policies  []policySetup // empty: left out
}

type setup struct {
	syncs, min, max                       int64
	tolerance, downWindow, cpuInit, delay int64
	requests                              [2][2]int64 // container, then cpu and memory, thousandths
	podLevel                              [2]int64
	metrics                               []metricSetup
	behavior                              bool
	up, down                              rulesSetup
	editAt, editMin, editMax              int64
	missing, createRate                   int64
}

func drawMetric(d *draws) metricSetup {
	m := metricSetup{kind: d.below(metricKinds), container: d.below(2)}
	switch m.kind {
	case cpuUtilization, memoryUtilization, containerCPUUtilization, containerMemoryUtilization:
		m.target = 5 + d.below(196)
	case cpuAverage, containerCPUAverage:
		m.target = 50 + d.below(1000)
	case memoryAverage:
		m.target = (1 + d.below(512)) * mebibyte * 1000
	default:
		m.target = 1 + d.below(20000)
	}
	return m
}

func drawRules(d *draws) rulesSetup {
	r := rulesSetup{present: d.chance(75)}
	r.window = d.pick(absent, absent, 0, 15, 30, 60, 120, 300)
	r.selection = d.pick(0, 0, 0, 1, 1, 2, 2, 3)
	r.tolerance = d.pick(absent, absent, absent, 0, 10, 50, 150, 1000)
	if d.chance(70) {
		count := 1 + d.below(3)
		for range count {
			p := policySetup{kind: d.below(2)}
			if p.kind == 0 {
				p.value = 1 + d.below(6)
			} else {
				p.value = 1 + d.below(120)
			}
			p.period = d.pick(5, 15, 15, 30, 60, 100, 180, 600)
			r.policies = append(r.policies, p)
		}
	}
	return r
}

func drawRequests(d *draws) (r [2][2]int64) {
	for c := range r {
		r[c][0] = 50 + d.below(950)
		r[c][1] = (1 + d.below(1024)) * mebibyte * 1000
		for k := range r[c] {
			if d.chance(3) {
				r[c][k] = absent
			}
		}
	}
	return r
}

func drawSetup(d *draws) setup {
	s := setup{syncs: 20 + d.below(61), max: 1 + d.below(24)}
	if d.chance(10) {
		s.max += 40
	}
	s.tolerance = d.pick(100, 100, 100, 0, 50, 200)
	s.downWindow = d.pick(300, 300, 300, 0, 60, 120)
	s.cpuInit = d.pick(300, 300, 0, 60, 120)
	s.delay = d.pick(30, 30, 0, 10)
	s.requests = drawRequests(d)
	s.podLevel = [2]int64{absent, absent}
	if d.chance(10) {
		s.podLevel[d.below(2)] = 1000 * (1 + d.below(2000))
	}
	for count := d.pick(1, 1, 1, 2, 2, 3); count > 0; count-- {
		s.metrics = append(s.metrics, drawMetric(d))
	}
	s.min = s.drawMin(d)
	s.behavior = d.chance(60)
	s.up, s.down = drawRules(d), drawRules(d)
	s.editAt = absent
	if d.chance(20) {
		s.editAt = 1 + d.below(s.syncs-1)
		s.editMax = 1 + d.below(24)
		former := s.max
		s.max = s.editMax
		s.editMin = s.drawMin(d)
		s.max = former
	}
	s.missing = d.pick(0, 0, 5, 25)
	s.createRate = d.pick(1, 3, 100)
	return s
}

// drawMin draws a minimum that the maximum and the metrics allow.
func (s *setup) drawMin(d *draws) int64 {
	zero := false
	for _, m := range s.metrics {
		zero = zero || m.perTarget()
	}
	switch draw := d.below(6); {
	case draw == 0:
		return absent
	case draw <= 2 && zero:
		return 0
	case draw <= 4:
		return 1
	default:
		return 1 + d.below(min(s.max, 6))
	}
}

func (r rulesSetup) hash(h *digest) {
	h.put(bit(r.present), r.window, r.selection, r.tolerance, int64(len(r.policies)))
	for _, p := range r.policies {
		h.put(p.kind, p.value, p.period)
	}
}

func (s *setup) hash(h *digest) {
	h.put(s.syncs, s.min, s.max, s.tolerance, s.downWindow, s.cpuInit, s.delay)
	for _, c := range s.requests {
		h.put(c[0], c[1])
	}
	h.put(s.podLevel[0], s.podLevel[1], int64(len(s.metrics)))
	for _, m := range s.metrics {
		h.put(m.kind, m.container, m.target)
	}
	h.put(bit(s.behavior))
	s.up.hash(h)
	s.down.hash(h)
	h.put(s.editAt, s.editMin, s.editMax, s.missing, s.createRate)
}
