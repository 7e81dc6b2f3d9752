//! The policies of a comparison: named, from files, or from the scenario.

use std::path::Path;

use homeostat_core::GuardProfile;
use homeostat_policy::hpa::HpaSpec;
use homeostat_policy::keda::ScaledObject;
use homeostat_policy::spec::{Named, Peek, PolicySpec, catalog};
use homeostat_twin::scenario::Contender;

use crate::failure::Failure;
use crate::input::scenario::{World, text};
use crate::input::yaml;

/// A policy that takes part.
#[derive(Debug, Clone)]
pub(crate) struct Entrant {
    pub(crate) name: String,
    pub(crate) policy: PolicySpec,
    pub(crate) guards: GuardProfile,
}

/// The policies to run: those named on the command line, else those of the scenario, else all built in.
pub(crate) fn entrants(world: &World, asked: &[String]) -> Result<Vec<Entrant>, Failure> {
    let mut entrants = Vec::new();
    if !asked.is_empty() {
        for name in asked {
            entrants.push(asked_for(world, name)?);
        }
    } else if !world.scenario.policies.is_empty() {
        for contender in &world.scenario.policies {
            entrants.push(contending(world, contender)?);
        }
    } else {
        entrants.extend(catalog().iter().map(|p| entrant(p.name, p.spec.clone(), None)));
    }
    for (i, entrant) in entrants.iter().enumerate() {
        if entrants[..i].iter().any(|other| other.name == entrant.name) {
            let problem =
                format!("two policies are called `{}`; give one of them another `name`", entrant.name);
            return Err(Failure::new(problem));
        }
    }
    Ok(entrants)
}

fn entrant(name: &str, policy: PolicySpec, guards: Option<GuardProfile>) -> Entrant {
    let guards = guards.unwrap_or_else(|| policy.guard_profile());
    Entrant { name: name.to_owned(), policy, guards }
}

/// A policy named on the command line: of the scenario, built in, or a file.
fn asked_for(world: &World, name: &str) -> Result<Entrant, Failure> {
    for contender in &world.scenario.policies {
        if contender.name.as_deref() == Some(name) {
            return contending(world, contender);
        }
    }
    if let Some(found) = builtin(name) {
        return Ok(entrant(name, found, None));
    }
    let path = Path::new(name);
    if path.exists() {
        return from_file(path);
    }
    let own = world.scenario.policies.iter().filter_map(|contender| contender.name.as_deref());
    let known: Vec<&str> = own.chain(catalog().iter().map(|p| p.name)).collect();
    Err(Failure::new(format!(
        "--policy {name}: neither a file nor a known policy; known are {}",
        known.join(", ")
    )))
}

fn builtin(name: &str) -> Option<PolicySpec> {
    catalog().into_iter().find(|p| p.name == name).map(|p| p.spec)
}

fn contending(world: &World, contender: &Contender) -> Result<Entrant, Failure> {
    let found = if let Some(name) = &contender.builtin {
        let Some(spec) = builtin(name) else {
            let known: Vec<&str> = catalog().iter().map(|p| p.name).collect();
            return Err(Failure::new(format!(
                "{}: policies: no built-in policy is called `{name}`; there are {}",
                world.origin,
                known.join(", ")
            )));
        };
        entrant(name, spec, None)
    } else if let Some(file) = &contender.file {
        from_file(&world.folder.join(file))?
    } else if let Some(policy) = &contender.policy {
        entrant(policy.kind(), policy.clone(), None)
    } else {
        return Err(Failure::new(format!("{}: policies: an entry names no policy", world.origin)));
    };
    Ok(Entrant {
        name: contender.name.clone().unwrap_or(found.name),
        guards: contender.guards.clone().unwrap_or(found.guards),
        policy: found.policy,
    })
}

/// A policy file: a manifest as it is, or our own form.
fn from_file(path: &Path) -> Result<Entrant, Failure> {
    let text = text(path)?;
    let origin = path.display().to_string();
    let stem = path.file_stem().map_or_else(|| origin.clone(), |s| s.to_string_lossy().into_owned());
    let peek: Peek = yaml::read(&text, &origin)?;
    let policy = match peek.kind.as_deref() {
        Some("HorizontalPodAutoscaler") => {
            PolicySpec::HorizontalPodAutoscaler(Box::new(yaml::read::<HpaSpec>(&text, &origin)?))
        }
        Some("ScaledObject") => {
            PolicySpec::ScaledObject(Box::new(yaml::read::<ScaledObject>(&text, &origin)?))
        }
        Some(other) => {
            return Err(Failure::new(format!(
                "{origin}: a manifest of kind `{other}` is not a policy; expected HorizontalPodAutoscaler \
                 (autoscaling/v2) or ScaledObject (keda.sh/v1alpha1)"
            )));
        }
        None => {
            let named: Named = yaml::read(&text, &origin)?;
            return Ok(entrant(&named.name, named.policy, None));
        }
    };
    Ok(entrant(&stem, policy, None))
}
