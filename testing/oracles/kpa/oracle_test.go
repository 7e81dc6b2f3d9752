package kpaoracle

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	netv1alpha1 "knative.dev/networking/pkg/apis/networking/v1alpha1"
	"knative.dev/pkg/logging"
	autoscalingv1alpha1 "knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/autoscaler/metrics"
	"knative.dev/serving/pkg/autoscaler/scaling"
	"knative.dev/serving/pkg/reconciler/autoscaling/config"
	"knative.dev/serving/pkg/reconciler/autoscaling/kpa"
	"knative.dev/serving/pkg/reconciler/autoscaling/kpa/resources"
	asresources "knative.dev/serving/pkg/reconciler/autoscaling/resources"
)

var (
	out       = flag.String("out", "", "file to write the decisions to")
	histories = flag.Int("histories", 800, "number of histories; the seeds are 1 and up")
	errScrape = errors.New("no answer")
	key       = types.NamespacedName{Namespace: "d", Name: "w"}
)

// counter counts the ready pods.
type counter struct{ *world }

func (c counter) ReadyCount() (int, error)    { return int(c.ready()), nil }
func (c counter) NotReadyCount() (int, error) { return len(c.pods) - int(c.ready()), nil }

// scraper adds up the pods' values: upstream's scraper without its sampling.
type scraper struct{ *world }

func (s scraper) Scrape(time.Duration) (metrics.Stat, error) {
	switch s.scraped {
	case 1:
		return metrics.Stat{}, errScrape
	case 2:
		return metrics.Stat{}, nil
	}
	sum := int64(0)
	for _, x := range s.samples {
		sum += x.milli
	}
	value := float64(sum) / 1000
	return metrics.Stat{PodName: "all", AverageConcurrentRequests: value, RequestCount: value}, nil
}

// run is one history.
type run struct {
	*world
	ctx       context.Context
	pa        *autoscalingv1alpha1.PodAutoscaler
	sks       *netv1alpha1.ServerlessService
	collector *metrics.MetricCollector
	deciders  *scaling.MultiScaler
	scaler    *kpa.OracleScaler
	outputs   digest
	words     []string
}

func history(t *testing.T, seed uint64) (r *run) {
	synctest.Test(t, func(t *testing.T) {
		r = &run{world: newWorld(seed), outputs: newDigest()}
		settings, err := r.setup.settings()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		r.ctx = logging.WithLogger(config.ToContext(t.Context(), settings), zap.NewNop().Sugar())
		r.prepare()
		r.tick(0)
		stop := make(chan struct{})
		r.start(t, settings, stop)
		for k := int64(0); k < r.setup.seconds; k++ {
			r.second(t, k)
		}
		close(stop)
		r.collector.Delete("d", "w")
		synctest.Wait()
	})
	return r
}

// prepare makes the objects, as they are before the history.
func (r *run) prepare() {
	r.pa = r.setup.autoscaler()
	r.sks = &netv1alpha1.ServerlessService{}
	r.sks.Status.InitializeConditions()
	r.sks.Spec.Mode = netv1alpha1.SKSOperationModeProxy
	if r.setup.start == 0 { // it ran before and went to zero
		r.pa.Status.MarkScaleTargetInitialized()
		r.pa.Status.MarkInactive("NoTraffic", "The target is not receiving traffic.")
		r.sks.Status.MarkActivatorEndpointsPopulated()
	}
	r.scaler = kpa.NewOracleScaler(func(schema.GroupVersionResource) (cache.GenericLister, error) {
		return &finder{world: r.world}, nil
	}, &target{world: r.world})
}

// start sets the collector going at the full second and the decider half a second later.
func (r *run) start(t *testing.T, settings *config.Config, stop chan struct{}) {
	logger := zap.NewNop().Sugar()
	r.collector = metrics.NewMetricCollector(
		func(m *autoscalingv1alpha1.Metric, _ *zap.SugaredLogger) (metrics.StatsScraper, error) {
			if m.Spec.ScrapeTarget == "" {
				return nil, nil
			}
			return scraper{r.world}, nil
		}, logger)
	service := "w-private"
	if r.setup.burst == -1 { // resolveScrapeTarget in kpa.go
		service = ""
	}
	metric := asresources.MakeMetric(r.pa, service, settings.Autoscaler)
	if err := r.collector.CreateOrUpdate(metric); err != nil {
		t.Fatal(err)
	}
	r.deciders = scaling.NewMultiScaler(stop, func(d *scaling.Decider) (scaling.UniScaler, error) {
		return scaling.New(*attribute.EmptySet(), noop.NewMeterProvider(), "d", "w", r.collector,
			counter{r.world}, &d.Spec), nil
	}, logger)
}

// second lets second k pass and writes down what holds at its middle.
func (r *run) second(t *testing.T, k int64) {
	time.Sleep(250 * time.Millisecond)
	synctest.Wait()
	if r.activator != 0 {
		stat := metrics.Stat{PodName: "activator", RequestCount: float64(r.proxied) / 1000,
			AverageConcurrentRequests: float64(r.activator) / 1000}
		r.collector.Record(key, time.Now(), stat)
		r.deciders.Poke(key, stat)
		synctest.Wait()
	}
	time.Sleep(250 * time.Millisecond)
	synctest.Wait()
	decider := r.decider(t)
	r.reconcile(t, decider)
	r.words = append(r.words, fmt.Sprint(r.spec))
	r.outputs.put(r.spec, int64(decider.Status.DesiredScale), int64(decider.Status.ExcessBurstCapacity),
		bit(r.pa.Status.IsActive()), bit(r.pa.Status.IsInactive()))
	if k+1 < r.setup.seconds {
		r.tick(k + 1)
	}
	time.Sleep(500 * time.Millisecond)
	synctest.Wait()
}

func (r *run) decider(t *testing.T) *scaling.Decider {
	decider, err := r.deciders.Get(r.ctx, "d", "w")
	if err != nil {
		made := resources.MakeDecider(r.pa, config.FromContext(r.ctx).Autoscaler)
		if decider, err = r.deciders.Create(r.ctx, made); err != nil {
			t.Fatal(err)
		}
	}
	return decider
}

// reconcile is ReconcileKind in kpa.go with the parts that decide: scale, mode, active condition. The
// service's condition follows reconcilePublicEndpoints in serverlessservice.go.
func (r *run) reconcile(t *testing.T, decider *scaling.Decider) {
	want, err := r.scaler.Scale(r.ctx, r.pa, r.sks, decider.Status.DesiredScale)
	if err != nil {
		t.Fatal(err)
	}
	r.sks.Spec.Mode = netv1alpha1.SKSOperationModeProxy
	if want > 0 && decider.Status.ExcessBurstCapacity >= 0 {
		r.sks.Spec.Mode = netv1alpha1.SKSOperationModeServe
	}
	if r.ready() == 0 || r.sks.Spec.Mode == netv1alpha1.SKSOperationModeProxy {
		r.sks.Status.MarkActivatorEndpointsPopulated()
	} else {
		r.sks.Status.MarkActivatorEndpointsRemoved()
	}
	kpa.OracleActive(r.ctx, r.pa, want, int(r.ready()))
	if r.pa, err = stored(r.pa); err != nil {
		t.Fatal(err)
	}
	if r.sks, err = stored(r.sks); err != nil {
		t.Fatal(err)
	}
}

// runs writes equal neighbours as WORDxCOUNT.
func runs(words []string) string {
	var parts []string
	for i := 0; i < len(words); {
		j := i
		for j < len(words) && words[j] == words[i] {
			j++
		}
		part := words[i]
		if j > i+1 {
			part += fmt.Sprintf("x%d", j-i)
		}
		parts = append(parts, part)
		i = j
	}
	return strings.Join(parts, ",")
}

func TestGenerate(t *testing.T) {
	var b strings.Builder
	b.WriteString("# knative.dev/serving v0.50.0. seed, digest of the inputs, replicas, digest of all outputs\n")
	for seed := 1; seed <= *histories; seed++ {
		r := history(t, uint64(seed))
		fmt.Fprintf(&b, "%d %016x %s %016x\n", seed, uint64(r.digest), runs(r.words), uint64(r.outputs))
	}
	if *out == "" {
		t.Log(b.String())
		return
	}
	if err := os.WriteFile(*out, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
