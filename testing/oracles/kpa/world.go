package kpaoracle

type pod struct {
	id, readyAt int64 // the second from which it is ready
	broken      bool
}

type sample struct{ pod, milli int64 }

type world struct {
	*draws
	setup     *setup
	digest    digest
	now       int64
	spec      int64
	pods      []*pod
	lastID    int64
	load      int64 // thousandths of concurrency or requests per second
	scraped   int64 // 0 values, 1 failed, 2 nothing to scrape
	samples   []sample
	activator int64 // thousandths; 0: no message
	proxied   int64 // requests per second through the activator, thousandths
}

func newWorld(seed uint64) *world {
	w := &world{draws: &draws{seed}, digest: newDigest()}
	s := drawSetup(w.draws)
	w.setup = &s
	s.hash(&w.digest)
	w.spec = s.start
	w.load = w.below(s.level)
	for range w.spec {
		w.newPod(0)
	}
	return w
}

func (w *world) newPod(delay int64) {
	w.lastID++
	w.pods = append(w.pods, &pod{id: w.lastID, readyAt: w.now + delay})
}

func (w *world) isReady(p *pod) bool { return w.now >= p.readyAt && !p.broken }

// tick moves the world to second k and draws what is seen there.
func (w *world) tick(k int64) {
	w.now = k
	if excess := int64(len(w.pods)) - w.spec; excess > 0 {
		w.pods = w.pods[:w.spec]
	}
	for int64(len(w.pods)) < w.spec {
		w.newPod(w.setup.startDelay + w.below(3))
	}
	for _, p := range w.pods {
		if w.below(500) == 0 {
			p.broken = !p.broken
		} else if p.broken && w.chance(10) {
			p.broken = false
		}
	}
	w.drawLoad()
	w.measure(k)
	w.hash()
}

func (w *world) drawLoad() {
	switch fate := w.below(100 + 300*bit(w.load == 0)); {
	case fate < 2:
		w.load = 0
	case fate < 4:
		w.load = w.below(w.setup.level)
	case fate < 5:
		w.load = w.below(20 * w.setup.level)
	case fate < 6:
		w.load = w.below(1000)
	}
}

func (w *world) ready() int64 {
	count := int64(0)
	for _, p := range w.pods {
		count += bit(w.isReady(p))
	}
	return count
}

// measure draws the scrape at second k and the activator's message a quarter second later.
func (w *world) measure(k int64) {
	ready := w.ready()
	through := w.load
	if ready > 0 {
		through = 0
		if w.chance(25) {
			through = w.load * w.below(101) / 100
		}
	}
	w.activator = through * (80 + w.below(41)) / 100
	w.proxied = through * (80 + w.below(41)) / 100
	if k == 0 {
		w.activator, w.proxied = 0, 0
	}
	w.samples, w.scraped = w.samples[:0], 0
	if ready == 0 || k == 0 {
		w.scraped = 2
		return
	}
	if w.chance(3) {
		w.scraped = 1
		return
	}
	for _, p := range w.pods {
		if w.isReady(p) {
			value := (w.load - through) / ready * (70 + w.below(61)) / 100
			w.samples = append(w.samples, sample{p.id, value})
		}
	}
}

func (w *world) hash() {
	h := &w.digest
	h.put(w.now, w.spec, int64(len(w.pods)))
	for _, p := range w.pods {
		h.put(p.id, bit(w.isReady(p)))
	}
	h.put(w.scraped, w.activator, w.proxied, int64(len(w.samples)))
	for _, s := range w.samples {
		h.put(s.pod, s.milli)
	}
}
