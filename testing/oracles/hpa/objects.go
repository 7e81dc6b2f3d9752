package hpaoracle

import (
	"fmt"
	"time"

	autoscaling "k8s.io/api/autoscaling/v2"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
)

var containers = [2]string{"app", "side"}

// quantity goes through its canonical text, as it does in an API server.
func quantity(milli int64) *resource.Quantity {
	given := resource.MustParse(fmt.Sprintf("%dm", milli))
	canonical := resource.MustParse(given.String())
	return &canonical
}

func (m metricSetup) spec(i int) autoscaling.MetricSpec {
	target, percent := quantity(m.target), int32(m.target)
	average := autoscaling.MetricTarget{Type: autoscaling.AverageValueMetricType, AverageValue: target}
	value := autoscaling.MetricTarget{Type: autoscaling.ValueMetricType, Value: target}
	utilization := autoscaling.MetricTarget{
		Type: autoscaling.UtilizationMetricType, AverageUtilization: &percent}
	resourceOf := func(name v1.ResourceName, t autoscaling.MetricTarget) autoscaling.MetricSpec {
		return autoscaling.MetricSpec{Type: autoscaling.ResourceMetricSourceType,
			Resource: &autoscaling.ResourceMetricSource{Name: name, Target: t}}
	}
	containerOf := func(name v1.ResourceName, t autoscaling.MetricTarget) autoscaling.MetricSpec {
		return autoscaling.MetricSpec{Type: autoscaling.ContainerResourceMetricSourceType,
			ContainerResource: &autoscaling.ContainerResourceMetricSource{
				Name: name, Container: containers[m.container], Target: t}}
	}
	named := autoscaling.MetricIdentifier{Name: fmt.Sprintf("m%d", i)}
	object := func(t autoscaling.MetricTarget) autoscaling.MetricSpec {
		front := autoscaling.CrossVersionObjectReference{Kind: "Service", APIVersion: "v1", Name: "front"}
		return autoscaling.MetricSpec{Type: autoscaling.ObjectMetricSourceType,
			Object: &autoscaling.ObjectMetricSource{Metric: named, Target: t, DescribedObject: front}}
	}
	external := func(t autoscaling.MetricTarget) autoscaling.MetricSpec {
		return autoscaling.MetricSpec{Type: autoscaling.ExternalMetricSourceType,
			External: &autoscaling.ExternalMetricSource{Metric: named, Target: t}}
	}
	switch m.kind {
	case cpuUtilization:
		return resourceOf(v1.ResourceCPU, utilization)
	case memoryUtilization:
		return resourceOf(v1.ResourceMemory, utilization)
	case cpuAverage:
		return resourceOf(v1.ResourceCPU, average)
	case memoryAverage:
		return resourceOf(v1.ResourceMemory, average)
	case containerCPUUtilization:
		return containerOf(v1.ResourceCPU, utilization)
	case containerMemoryUtilization:
		return containerOf(v1.ResourceMemory, utilization)
	case containerCPUAverage:
		return containerOf(v1.ResourceCPU, average)
	case podsAverage:
		return autoscaling.MetricSpec{Type: autoscaling.PodsMetricSourceType,
			Pods: &autoscaling.PodsMetricSource{Metric: named, Target: average}}
	case objectValue:
		return object(value)
	case objectAverage:
		return object(average)
	case externalValue:
		return external(value)
	}
	return external(average)
}

func (r rulesSetup) rules() *autoscaling.HPAScalingRules {
	if !r.present {
		return nil
	}
	out := &autoscaling.HPAScalingRules{}
	if r.window != absent {
		window := int32(r.window)
		out.StabilizationWindowSeconds = &window
	}
	if r.selection > 0 {
		selection := []autoscaling.ScalingPolicySelect{autoscaling.MaxChangePolicySelect,
			autoscaling.MinChangePolicySelect, autoscaling.DisabledPolicySelect}[r.selection-1]
		out.SelectPolicy = &selection
	}
	if r.tolerance != absent {
		out.Tolerance = quantity(r.tolerance)
	}
	for _, p := range r.policies {
		kind := autoscaling.PodsScalingPolicy
		if p.kind == 1 {
			kind = autoscaling.PercentScalingPolicy
		}
		out.Policies = append(out.Policies,
			autoscaling.HPAScalingPolicy{Type: kind, Value: int32(p.value), PeriodSeconds: int32(p.period)})
	}
	return out
}

// autoscaler is the object as an API server would hand it out: with upstream's own defaults.
func (s *setup) autoscaler() *autoscaling.HorizontalPodAutoscaler {
	hpa := &autoscaling.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Name: "h", Namespace: "d"}}
	hpa.Spec.ScaleTargetRef = autoscaling.CrossVersionObjectReference{
		Kind: "Deployment", APIVersion: "apps/v1", Name: "w"}
	setBounds(hpa, s.min, s.max)
	for i, m := range s.metrics {
		hpa.Spec.Metrics = append(hpa.Spec.Metrics, m.spec(i))
	}
	if s.behavior {
		hpa.Spec.Behavior = &autoscaling.HorizontalPodAutoscalerBehavior{
			ScaleUp: s.up.rules(), ScaleDown: s.down.rules()}
	}
	defaults.SetDefaults_HorizontalPodAutoscaler(hpa)
	return hpa
}

func setBounds(hpa *autoscaling.HorizontalPodAutoscaler, minimum, maximum int64) {
	hpa.Spec.MaxReplicas = int32(maximum)
	hpa.Spec.MinReplicas = nil
	if minimum != absent {
		lower := int32(minimum)
		hpa.Spec.MinReplicas = &lower
	}
}

func requestList(cpu, memory int64) v1.ResourceList {
	list := v1.ResourceList{}
	if cpu != absent {
		list[v1.ResourceCPU] = *quantity(cpu)
	}
	if memory != absent {
		list[v1.ResourceMemory] = *quantity(memory)
	}
	return list
}

func (w *world) podObject(p *pod, base time.Time) *v1.Pod {
	at := func(ms int64) metav1.Time { return metav1.NewTime(base.Add(time.Duration(ms) * time.Millisecond)) }
	out := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: podName(p.id), Namespace: "d",
		Labels: map[string]string{"a": "b"}}}
	for c, r := range w.setup.requests {
		out.Spec.Containers = append(out.Spec.Containers, v1.Container{Name: containers[c],
			Resources: v1.ResourceRequirements{Requests: requestList(r[0], r[1])}})
	}
	if level := w.setup.podLevel; level != [2]int64{absent, absent} {
		out.Spec.Resources = &v1.ResourceRequirements{Requests: requestList(level[0], level[1])}
	}
	phases := []v1.PodPhase{v1.PodPending, v1.PodRunning, v1.PodFailed, v1.PodSucceeded}
	out.Status.Phase = phases[p.phase(w.now)]
	if start, known := p.startTime(w.now); known {
		time := at(start)
		out.Status.StartTime = &time
	}
	if ready, since, known := p.condition(w.now); known {
		status := v1.ConditionFalse
		if ready {
			status = v1.ConditionTrue
		}
		out.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: status,
			LastTransitionTime: at(since)}}
	}
	if p.deleting {
		time := at(w.now)
		out.DeletionTimestamp = &time
	}
	return out
}

func podName(id int64) string { return fmt.Sprintf("p%d", id) }
