//! What a fluid can't stand for, named by the field, so that nobody gets figures of another world.

use homeostat_core::load::{BinLoad, Gaps, LoadItem};

use crate::scenario::{Balancer, Scenario, ScenarioError, Server};

type Checked = Result<(), ScenarioError>;

fn refuse(refused: bool, path: &str, what: &str) -> Checked {
    if !refused {
        return Ok(());
    }
    let problem = format!("{what} can't be run as a fluid; use --fidelity requests");
    Err(ScenarioError { path: path.to_owned(), problem })
}

/// Refuses scenarios whose results hang on single requests.
pub(super) fn scenario(scenario: &Scenario) -> Checked {
    let first = &scenario.services[0];
    refuse(scenario.services.len() > 1, "services", "several services")?;
    let slots = matches!(first.server, Server::Fcfs(_));
    refuse(!slots, "services[0].server", "a server other than fcfs")?;
    let packs = matches!(first.balancer, Balancer::IndexPacking(_));
    refuse(packs, "services[0].balancer", "index_packing, which loads replicas unevenly,")?;
    refuse(
        !first.service_time.variation().is_finite(),
        "services[0].service_time",
        "work without a variance",
    )?;
    refuse(first.cold.is_some(), "services[0].cold", "cold caches")?;
    refuse(scenario.client.retries > 0, "client.retries", "retries")?;
    refuse(!scenario.faults.is_empty(), "faults", "faults")?;
    refuse(!scenario.nodes.is_empty(), "nodes", "node pools")?;
    refuse(scenario.traffic.tokens.is_some(), "traffic.tokens", "work from tokens")
}

/// Refuses load that is not a rate or a count of independent arrivals.
pub(super) fn item(item: &LoadItem) -> Checked {
    let path = "traffic.source";
    match item {
        LoadItem::Request { .. } => {
            let problem = "single requests can't be run as a fluid; use --fidelity requests, or rates \
                           with `resample: 10s`";
            Err(ScenarioError { path: path.to_owned(), problem: problem.to_owned() })
        }
        LoadItem::Bin { load: BinLoad::Rate { gaps, .. }, .. } => {
            refuse(*gaps != Gaps::Poisson, path, "traffic burstier than Poisson")
        }
        LoadItem::Bin { .. } => Ok(()),
    }
}
