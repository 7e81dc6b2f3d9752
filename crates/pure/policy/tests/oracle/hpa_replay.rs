//! The policy against the recorded decisions of Kubernetes' controller.

use homeostat_core::Policy;
use homeostat_policy::hpa::{Hpa, HpaSpec};

use crate::golden::{Record, records};
use crate::hpa_world::World;

fn replay(record: &Record) {
    let mut world = World::new(record.seed);
    let spec: HpaSpec = serde_json::from_str(&world.setup.manifest()).unwrap();
    let mut hpa = Hpa::new(&spec, &world.setup.template(), world.setup.flags()).unwrap();
    assert_eq!(record.decisions.len() as i64, world.setup.syncs, "seed {}", record.seed);
    for (k, expected) in (0..).zip(&record.decisions) {
        if k == world.setup.edit_at {
            let (min, max) = world.setup.edited();
            hpa.set_bounds(min, max).unwrap();
            world.setup.max = world.setup.edit_max;
        }
        world.tick(k);
        let observation = world.observation();
        let plan = hpa.decide(&observation);
        assert_eq!(
            plan.replicas.to_string(),
            *expected,
            "seed {} sync {k}\n{spec:#?}\n{observation:#?}\n{plan:#?}\n{hpa:#?}",
            record.seed
        );
        world.spec = i64::from(plan.replicas);
    }
    assert_eq!(world.digest.0, record.digest, "the inputs of seed {} differ", record.seed);
}

#[test]
fn every_decision_is_that_of_kubernetes() {
    let text = include_str!("../../../../../testing/oracles/golden/hpa.txt");
    let records = records(text);
    assert!(records.len() >= 2400, "only {} histories", records.len());
    records.iter().for_each(replay);
}
