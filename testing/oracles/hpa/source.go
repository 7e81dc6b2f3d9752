package hpaoracle

import (
	"context"
	"errors"
	"strconv"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
)

// source answers the controller's questions from the world's readings.
type source struct {
	world *world
	base  time.Time
}

var errFetch = errors.New("no such metric now")

func (s *source) perPod(i int) (metrics.PodMetricsInfo, time.Time, error) {
	r := s.world.readings[i]
	if r.kind != 0 {
		return nil, time.Time{}, errFetch
	}
	info := metrics.PodMetricsInfo{}
	for _, x := range r.samples {
		info[podName(x.pod)] = metrics.PodMetric{Value: x.milli,
			Timestamp: s.base.Add(time.Duration(x.at) * time.Millisecond),
			Window:    time.Duration(x.window) * time.Millisecond}
	}
	return info, time.Now(), nil
}

func index(name string) int {
	i, err := strconv.Atoi(name[1:])
	if err != nil {
		panic(err)
	}
	return i
}

func (s *source) GetResourceMetric(_ context.Context, name v1.ResourceName, _ string, _ labels.Selector,
	container string) (metrics.PodMetricsInfo, time.Time, error) {
	for i, m := range s.world.setup.metrics {
		spec := m.spec(i)
		if r := spec.Resource; r != nil && container == "" && r.Name == name {
			return s.perPod(i)
		}
		if r := spec.ContainerResource; r != nil && r.Container == container && r.Name == name {
			return s.perPod(i)
		}
	}
	panic("a resource that was not asked for")
}

func (s *source) GetRawMetric(name, _ string, _, _ labels.Selector) (metrics.PodMetricsInfo, time.Time,
	error) {
	return s.perPod(index(name))
}

func (s *source) GetObjectMetric(name, _ string, _ *autoscalingv2.CrossVersionObjectReference,
	_ labels.Selector) (int64, time.Time, error) {
	r := s.world.readings[index(name)]
	if r.kind != 1 {
		return 0, time.Time{}, errFetch
	}
	return r.totals[0], time.Now(), nil
}

func (s *source) GetExternalMetric(name, _ string, _ labels.Selector) ([]int64, time.Time, error) {
	r := s.world.readings[index(name)]
	if r.kind != 1 {
		return nil, time.Time{}, errFetch
	}
	return r.totals, time.Now(), nil
}
