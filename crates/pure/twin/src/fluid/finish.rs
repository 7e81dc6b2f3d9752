//! The end of a fluid run: what is held is served or fails, then the sums are drawn up.

use homeostat_core::{Instant, Span};

use super::Fluid;
use crate::engine::control::close_marks;
use crate::engine::{Recorder, Stop};
use crate::outcome::{Outcome, Series, count_series};

impl Fluid {
    pub(super) fn close(
        mut self,
        recorder: &mut dyn Recorder,
        stop: &mut dyn FnMut(Instant) -> bool,
    ) -> Result<Outcome, Stop> {
        let end = self.load.end;
        let span = end.since(self.start);
        if end <= self.scored_from {
            return Err(Stop::TooShort(span, self.scored_from.since(self.start)));
        }
        self.fleet.ledger.close(end);
        self.note_ages(end);
        self.closing = true;
        while self.held_count > 0 && self.events.next_at() < u64::MAX {
            self.advance(Instant(self.events.next_at()));
            self.happen(recorder, stop)?;
        }
        for held in std::mem::take(&mut self.held) {
            self.fail(held.from, held.count);
        }
        close_marks(&mut self.marks);
        Ok(self.outcome(end))
    }

    fn outcome(mut self, end: Instant) -> Outcome {
        let span = end.since(self.start);
        let series = self.series(span);
        let tally = &self.tally;
        let hours = end.since(self.scored_from).as_hours_f64();
        let ([p50_ms, p95_ms, p99_ms], mean_ms) = tally.quantiles(&self.curve, &self.work);
        let requests = tally.requests as f64;
        let replica_hours = self.fleet.ledger.replica_hours();
        Outcome {
            requests: tally.requests,
            failed: (tally.failed.max(0.0) + 0.5) as u64,
            attainment: if requests == 0.0 { 1.0 } else { (1.0 - tally.late / requests).clamp(0.0, 1.0) },
            p50_ms,
            p95_ms,
            p99_ms,
            mean_ms,
            replica_hours,
            cost: replica_hours * self.fleet.spec.price_per_hour,
            node_cost: 0.0,
            scale_events: self.scale_events,
            flips_per_hour: self.flips as f64 / hours,
            decisions: self.decisions,
            hops: self.arrived,
            start: self.start,
            span,
            warm_up: self.scored_from.since(self.start),
            series,
            forecasts: self.forecasts.series(&self.fleet.spec.name, span).into_iter().collect(),
            marks: self.marks,
            aging: self.scenario.has_memory_limit().then_some(self.aging.sums),
            meter: None,
        }
    }

    fn series(&mut self, span: Span) -> Series {
        let least = self.fleet.ledger.windows().step();
        let (step, windows) = self.tally.windows(least, &self.curve, &self.work);
        let capacity = self.fleet.spec.capacity_per_second();
        let seconds = step.as_secs_f64();
        let mut series = Series { step_s: seconds, ..Series::default() };
        for (requests, missed, failed, [p50_ms, p95_ms, p99_ms]) in windows {
            series.requests.push(requests);
            series.missed.push(missed);
            series.failed.push(failed);
            series.demand_replicas.push(requests as f64 / seconds / capacity);
            series.p50_ms.push(p50_ms);
            series.p95_ms.push(p95_ms);
            series.p99_ms.push(p99_ms);
        }
        count_series(&mut series, std::iter::once(&mut self.fleet.ledger), step, span);
        series
    }
}
