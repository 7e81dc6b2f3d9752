//! `homeostat policies`.

use homeostat_policy::space::spaces;
use homeostat_policy::spec::catalog;

use crate::failure::{Code, Outcome};
use crate::show::say;
use crate::show::table::plain;

pub(crate) fn run(spaces: bool) -> Outcome {
    if spaces {
        return list_spaces();
    }
    let mut table = plain(&["name", "what it does", "source"]);
    for policy in catalog() {
        table.add_row([policy.name, policy.description, policy.spec.source()]);
    }
    say(&table)?;
    Ok(Code::Done)
}

fn list_spaces() -> Outcome {
    let mut table = plain(&["policy", "points", "setting", "values"]);
    for space in spaces() {
        let (mut family, mut size) = (space.family.to_owned(), space.size().to_string());
        for setting in &space.settings {
            let values: Vec<String> = setting.values.iter().map(ToString::to_string).collect();
            let own = (std::mem::take(&mut family), std::mem::take(&mut size));
            table.add_row([own.0, own.1, setting.name.to_owned(), values.join(", ")]);
        }
    }
    let counts = "from the service's least count to 1.5 times what the peak of the tuning part needs";
    table.add_row(["static", "", "replicas", counts]);
    say(&table)?;
    Ok(Code::Done)
}
