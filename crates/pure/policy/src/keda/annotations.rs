//! Annotations that pause scaling, in one direction or both, or force the target to be active.

use std::collections::BTreeMap;

use super::manifest::ScaledObject;
use crate::error::PolicyError;
use crate::hpa::{BehaviorSpec, RulesSpec};

/// Whether the count is held, and at what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Hold {
    #[default]
    No,
    AtPresent,
    At(u32),
}

/// What the annotations ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pause {
    hold: Hold,
    pub(super) no_rise: bool,
    pub(super) no_fall: bool,
    pub(super) force_active: bool,
}

impl Pause {
    pub(super) fn read(annotations: &BTreeMap<String, String>) -> Result<Self, PolicyError> {
        let get = |name: &str| annotations.get(&format!("autoscaling.keda.sh/{name}"));
        let flag = |name: &str| get(name).is_some_and(|value| value == "true");
        let at = get("paused-replicas").map(|text| {
            text.parse::<u32>().map_err(|_| {
                let path = "metadata.annotations.autoscaling.keda.sh/paused-replicas";
                PolicyError::new(path, format!("`{text}` is not a count"), "a whole number", "4")
            })
        });
        Ok(Self {
            hold: match at.transpose()? {
                Some(count) => Hold::At(count),
                None if flag("paused") => Hold::AtPresent,
                None => Hold::No,
            },
            no_rise: flag("paused-scale-out"),
            no_fall: flag("paused-scale-in"),
            force_active: flag("force-activation"),
        })
    }

    /// The count while paused, at `desired` replicas; `None` while not paused.
    pub(super) fn replicas(self, desired: u32) -> Option<u32> {
        match self.hold {
            Hold::No => None,
            Hold::AtPresent => Some(desired),
            Hold::At(count) => Some(count),
        }
    }

    /// The autoscaler's behavior, with the directions that are paused switched off.
    pub(super) fn behavior(self, object: &ScaledObject) -> Option<BehaviorSpec> {
        let advanced = object.spec.advanced.as_ref();
        let config = advanced.and_then(|advanced| advanced.horizontal_pod_autoscaler_config.as_ref());
        let behavior = config.and_then(|config| config.behavior.clone());
        if !self.no_rise && !self.no_fall {
            return behavior;
        }
        let mut behavior = behavior.unwrap_or_default();
        let off = |rules: Option<RulesSpec>| {
            Some(RulesSpec { select_policy: Some("Disabled".to_owned()), ..rules.unwrap_or_default() })
        };
        if self.no_rise {
            behavior.scale_up = off(behavior.scale_up);
        }
        if self.no_fall {
            behavior.scale_down = off(behavior.scale_down);
        }
        Some(behavior)
    }
}
