package kpaoracle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	autoscalingv1alpha1 "knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
)

// target is the scaled workload, as a client that patches it.
type target struct {
	dynamic.Interface
	dynamic.NamespaceableResourceInterface
	world *world
}

var errPatch = errors.New("not a patch of the replicas")

func (t *target) Resource(schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	return t
}
func (t *target) Namespace(string) dynamic.ResourceInterface { return t }

func (t *target) Patch(_ context.Context, _ string, _ types.PatchType, patch []byte, _ metav1.PatchOptions,
	_ ...string) (*unstructured.Unstructured, error) {
	var steps []struct {
		Path  string `json:"path"`
		Value int64  `json:"value"`
	}
	if err := json.Unmarshal(patch, &steps); err != nil {
		return nil, fmt.Errorf("reading the patch: %w", err)
	}
	if len(steps) != 1 || steps[0].Path != "/spec/replicas" {
		return nil, errPatch
	}
	t.world.spec = steps[0].Value
	return &unstructured.Unstructured{}, nil
}

// finder is a lister that finds the workload.
type finder struct {
	cache.GenericLister
	world *world
}

type namespaceFinder struct {
	cache.GenericNamespaceLister
	world *world
}

func (f *finder) ByNamespace(string) cache.GenericNamespaceLister {
	return &namespaceFinder{world: f.world}
}

func (f *namespaceFinder) Get(string) (runtime.Object, error) {
	replicas := int32(f.world.spec)
	return &autoscalingv1alpha1.PodScalable{ObjectMeta: metav1.ObjectMeta{Name: "w", Namespace: "d"},
		Spec: autoscalingv1alpha1.PodScalableSpec{Replicas: &replicas}}, nil
}
