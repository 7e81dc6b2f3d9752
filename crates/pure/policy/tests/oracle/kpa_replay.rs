//! The policy against the recorded decisions of Knative's autoscaler.

use homeostat_core::Policy;
use homeostat_policy::kpa::{Activity, Kpa};

use crate::draw::Digest;
use crate::golden::{Record, records};
use crate::kpa_world::World;

fn replay(record: &Record) {
    let mut world = World::new(record.seed);
    let mut kpa = Kpa::new(world.setup.spec()).unwrap();
    let mut outputs = Digest::new();
    assert_eq!(record.decisions.len() as i64, world.setup.seconds, "seed {}", record.seed);
    for (k, expected) in (0..).zip(&record.decisions) {
        world.tick(k);
        let observation = world.observation();
        let plan = kpa.decide(&observation);
        assert_eq!(
            plan.replicas.to_string(),
            *expected,
            "seed {} second {k}\n{observation:#?}\n{plan:#?}\n{kpa:#?}",
            record.seed
        );
        world.spec = i64::from(plan.replicas);
        let state = kpa.state().unwrap();
        outputs.put(&[
            world.spec,
            i64::from(state.decider.desired),
            i64::from(state.decider.excess_burst),
            i64::from(state.scaler.activity == Activity::Active),
            i64::from(state.scaler.is_inactive()),
        ]);
    }
    assert_eq!(world.digest.0, record.digest, "the inputs of seed {} differ", record.seed);
    assert_eq!(Some(outputs.0), record.outputs, "the outputs of seed {} differ", record.seed);
}

#[test]
fn every_decision_is_that_of_knative() {
    let text = include_str!("../../../../../testing/oracles/golden/kpa.txt");
    let records = records(text);
    assert!(records.len() >= 800, "only {} histories", records.len());
    records.iter().for_each(replay);
}
