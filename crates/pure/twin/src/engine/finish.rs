//! The end of the trace: what is inside runs on without cost, then the sums are drawn up.

use homeostat_core::{Instant, Span};

use super::{Recorder, Simulation, Stop};
use crate::outcome::{Outcome, Series, count_series};

impl Simulation {
    pub(super) fn close(
        mut self,
        end: Instant,
        recorder: &mut dyn Recorder,
        stop: &mut dyn FnMut(Instant) -> bool,
    ) -> Result<Outcome, Stop> {
        let span = end.since(self.start);
        if end <= self.scored_from {
            return Err(Stop::TooShort(span, self.scored_from.since(self.start)));
        }
        for running in &mut self.services {
            running.fleet.ledger.close(end);
        }
        let node_cost = self.nodes.close(end);
        self.note_ages(end);
        self.closing = true;
        while self.events.next_at() < u64::MAX {
            self.happen(recorder, stop)?;
        }
        self.thin_marks();
        Ok(self.outcome(end, node_cost))
    }

    fn outcome(mut self, end: Instant, node_cost: f64) -> Outcome {
        let span = end.since(self.start);
        let series = self.series(span);
        let forecast = |s: &super::Running| s.forecasts.series(&s.fleet.spec.name, span);
        let forecasts = self.services.iter().filter_map(forecast).collect();
        let meter = self.tally.meter.take().map(|meter| *meter);
        let tally = &self.tally;
        let ms = |q| tally.times.quantile(q, tally.failed).map(Span::as_millis_f64);
        let served = tally.requests - tally.failed;
        let hours = end.since(self.scored_from).as_hours_f64();
        let replica_hours = |s: &super::Running| s.fleet.ledger.replica_hours();
        let cost = |s: &super::Running| s.fleet.ledger.replica_hours() * s.fleet.spec.price_per_hour;
        Outcome {
            requests: tally.requests,
            failed: tally.failed,
            attainment: if tally.requests == 0 { 1.0 } else { tally.met as f64 / tally.requests as f64 },
            p50_ms: ms(0.5),
            p95_ms: ms(0.95),
            p99_ms: ms(0.99),
            mean_ms: tally.total_ns as f64 / 1e6 / (served.max(1)) as f64,
            replica_hours: self.services.iter().map(replica_hours).sum(),
            cost: self.services.iter().map(cost).sum(),
            node_cost,
            scale_events: self.services.iter().map(|s| s.scale_events).sum(),
            flips_per_hour: self.services.iter().map(|s| s.flips).sum::<u64>() as f64 / hours,
            decisions: self.decisions,
            hops: self.hops,
            start: self.start,
            span,
            warm_up: self.scored_from.since(self.start),
            series,
            forecasts,
            marks: self.marks,
            aging: self.scenario.has_memory_limit().then_some(self.aging.sums),
            meter,
        }
    }

    fn series(&mut self, span: Span) -> Series {
        let windows = self.tally.windows();
        let step = self.services.iter_mut().map(|s| s.fleet.ledger.windows().step()).max();
        windows.widen(step.unwrap_or(windows.step()));
        let step = windows.step();
        let capacity = self.services[0].fleet.spec.capacity_per_second();
        let seconds = step.as_secs_f64();
        let mut series = Series { step_s: seconds, ..Series::default() };
        for window in windows.items() {
            let rate = window.requests as f64 / seconds;
            let ms = |q| window.times.quantile(q, window.failed).map(Span::as_millis_f64);
            series.requests.push(window.requests);
            series.missed.push(window.requests - window.met);
            series.demand_replicas.push(rate / capacity);
            series.p50_ms.push(ms(0.5));
            series.p95_ms.push(ms(0.95));
            series.p99_ms.push(ms(0.99));
            series.failed.push(window.failed);
        }
        let ledgers = self.services.iter_mut().map(|s| &mut s.fleet.ledger);
        count_series(&mut series, ledgers, step, span);
        series
    }
}
