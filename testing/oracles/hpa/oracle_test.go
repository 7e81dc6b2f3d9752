package hpaoracle

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	core "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
)

var (
	out       = flag.String("out", "", "file to write the decisions to")
	histories = flag.Int("histories", 2400, "number of histories; the seeds are 1 and up")
)

// history runs upstream's controller over one history and returns its decisions.
func history(t *testing.T, seed uint64) (decisions []int64, inputs digest) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		w, base, asked := newWorld(seed), time.Now(), 0
		// The plain tracker: the one with managed fields takes ten times as long to set up.
		cs := fake.NewSimpleClientset(w.setup.autoscaler())
		inf := informers.NewSharedInformerFactory(cs, 0)
		pods := inf.Core().V1().Pods().Informer().GetIndexer()
		s := w.setup
		c := podautoscaler.NewHorizontalController(ctx, cs.CoreV1(), scales(t, w, &asked), cs.AutoscalingV2(),
			testrestmapper.TestOnlyStaticRESTMapper(legacyscheme.Scheme), &source{w, base},
			inf.Autoscaling().V2().HorizontalPodAutoscalers(), inf.Core().V1().Pods(), 15*time.Second,
			time.Duration(s.downWindow)*time.Second, float64(s.tolerance)/1000,
			time.Duration(s.cpuInit)*time.Second, time.Duration(s.delay)*time.Second)
		inf.Start(ctx.Done())
		synctest.Wait()
		prepare(t, w, pods, base, 0)
		go c.Run(ctx, 1)
		for k := int64(0); ; k++ {
			synctest.Wait()
			if asked != int(k)+1 || time.Since(base) != time.Duration(k)*15*time.Second {
				t.Fatalf("seed %d: %d syncs by %v", seed, asked, time.Since(base))
			}
			decisions = append(decisions, w.spec)
			if k+1 == s.syncs {
				break
			}
			if k+1 == s.editAt {
				edit(ctx, t, cs, s)
			}
			prepare(t, w, pods, base, k+1)
			time.Sleep(15 * time.Second)
		}
		cancel()
		inf.Shutdown()
		synctest.Wait()
		inputs = w.digest
	})
	return decisions, inputs
}

// scales answers for the scale subresource of the workload.
func scales(t *testing.T, w *world, asked *int) *scalefake.FakeScaleClient {
	sc := &scalefake.FakeScaleClient{}
	sc.AddReactor("get", "deployments", func(core.Action) (bool, runtime.Object, error) {
		*asked++
		return true, &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "w", Namespace: "d"},
			Spec:   autoscalingv1.ScaleSpec{Replicas: int32(w.spec)},
			Status: autoscalingv1.ScaleStatus{Replicas: int32(w.status), Selector: "a=b"}}, nil
	})
	sc.AddReactor("update", "deployments", func(a core.Action) (bool, runtime.Object, error) {
		scale, ok := a.(core.UpdateAction).GetObject().(*autoscalingv1.Scale)
		if !ok {
			t.Fatal("not a scale")
		}
		w.spec = int64(scale.Spec.Replicas)
		return true, scale, nil
	})
	return sc
}

// prepare lets the world move to sync k and shows its pods to the controller.
func prepare(t *testing.T, w *world, pods cache.Indexer, base time.Time, k int64) {
	w.tick(k)
	objects := make([]any, 0, len(w.pods))
	for _, p := range w.pods {
		objects = append(objects, w.podObject(p, base))
	}
	if err := pods.Replace(objects, ""); err != nil {
		t.Fatal(err)
	}
}

func edit(ctx context.Context, t *testing.T, cs *fake.Clientset, s *setup) {
	client := cs.AutoscalingV2().HorizontalPodAutoscalers("d")
	hpa, err := client.Get(ctx, "h", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	setBounds(hpa, s.editMin, s.editMax)
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	s.max = s.editMax
	if _, err := client.Update(ctx, hpa, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// runs writes equal neighbours as VALUExCOUNT.
func runs(values []int64) string {
	var b strings.Builder
	for i := 0; i < len(values); {
		j := i
		for j < len(values) && values[j] == values[i] {
			j++
		}
		fmt.Fprintf(&b, "%s%d", map[bool]string{true: "", false: ","}[i == 0], values[i])
		if j > i+1 {
			fmt.Fprintf(&b, "x%d", j-i)
		}
		i = j
	}
	return b.String()
}

func TestGenerate(t *testing.T) {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	utilruntime.ErrorHandlers = nil // they print, and pause after an error by the wall clock
	var b strings.Builder
	b.WriteString("# k8s.io/kubernetes v1.37.2, default feature gates. seed, digest of the inputs, decisions\n")
	for seed := 1; seed <= *histories; seed++ {
		decisions, inputs := history(t, uint64(seed))
		fmt.Fprintf(&b, "%d %016x %s\n", seed, uint64(inputs), runs(decisions))
	}
	if *out == "" {
		t.Log(b.String())
		return
	}
	if err := os.WriteFile(*out, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
