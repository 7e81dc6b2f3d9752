//! `homeostat policies`.

use homeostat_policy::spec::catalog;

use crate::failure::{Code, Outcome};
use crate::show::say;
use crate::show::table::plain;

pub(crate) fn run() -> Outcome {
    let mut table = plain(&["name", "what it does", "source"]);
    for policy in catalog() {
        table.add_row([policy.name, policy.description, policy.spec.source()]);
    }
    say(&table)?;
    Ok(Code::Done)
}
