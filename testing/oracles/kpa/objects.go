package kpaoracle

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/serving/pkg/apis/autoscaling"
	autoscalingv1alpha1 "knative.dev/serving/pkg/apis/autoscaling/v1alpha1"
	"knative.dev/serving/pkg/apis/serving"
	asconfig "knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/deployment"
	"knative.dev/serving/pkg/reconciler/autoscaling/config"
)

func rate(milli int64) string { return strconv.FormatFloat(float64(milli)/1000, 'f', -1, 64) }

// settings is the cluster's configuration, through upstream's own parser, defaults and checks.
func (s *setup) settings() (*config.Config, error) {
	autoscaler, err := asconfig.NewConfigFromMap(map[string]string{
		"enable-scale-to-zero":                    strconv.FormatBool(s.toZero),
		"max-scale-up-rate":                       rate(s.upRate),
		"max-scale-down-rate":                     rate(s.downRate),
		"scale-to-zero-grace-period":              fmt.Sprintf("%ds", s.grace),
		"scale-to-zero-pod-retention-period":      fmt.Sprintf("%ds", s.keep),
		"target-burst-capacity":                   strconv.FormatInt(s.burst, 10),
		"panic-window-percentage":                 strconv.FormatInt(s.panicWindow, 10),
		"panic-threshold-percentage":              strconv.FormatInt(s.panicked, 10),
		"stable-window":                           fmt.Sprintf("%ds", s.window),
		"scale-down-delay":                        fmt.Sprintf("%ds", s.delay),
		"container-concurrency-target-percentage": "70",
	})
	if err != nil {
		return nil, err
	}
	rollout := &deployment.Config{ProgressDeadline: time.Duration(s.deadline) * time.Second}
	return &config.Config{Autoscaler: autoscaler, Deployment: rollout}, nil
}

// autoscaler is the PodAutoscaler of the history's revision.
func (s *setup) autoscaler() *autoscalingv1alpha1.PodAutoscaler {
	pa := &autoscalingv1alpha1.PodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "w", Namespace: "d",
		Labels: map[string]string{serving.RevisionLabelKey: "w"}, Annotations: map[string]string{}}}
	set := func(key string, value int64) {
		if value != absent {
			pa.Annotations[key] = strconv.FormatInt(value, 10)
		}
	}
	if s.rps {
		pa.Annotations[autoscaling.MetricAnnotationKey] = autoscaling.RPS
	} else {
		pa.Annotations[autoscaling.MetricAnnotationKey] = autoscaling.Concurrency
	}
	set(autoscaling.TargetAnnotationKey, s.target)
	set(autoscaling.TargetUtilizationPercentageKey, s.percent)
	set(autoscaling.MinScaleAnnotationKey, s.min)
	set(autoscaling.MaxScaleAnnotationKey, s.max)
	set(autoscaling.ActivationScaleKey, s.activation)
	set(autoscaling.InitialScaleAnnotationKey, s.initial)
	pa.Spec = autoscalingv1alpha1.PodAutoscalerSpec{
		ContainerConcurrency: s.concurrency, Reachability: autoscalingv1alpha1.ReachabilityReachable,
		ScaleTargetRef: corev1.ObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "w"}}
	pa.Status.InitializeConditions()
	pa.Status.ServiceName = "w"
	return pa
}

// stored sends an object through its JSON form, as an API server does: times lose their fractions.
func stored[T any](object *T) (*T, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	back := new(T)
	return back, json.Unmarshal(text, back)
}
