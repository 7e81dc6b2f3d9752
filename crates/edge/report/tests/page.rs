//! The page as a whole: size, safety against hostile text, and what reads without a script.

#[path = "../examples/sample/made_up.rs"]
mod made_up;

use homeostat_report::{Aging, DecisionMark, Objective, PolicyReport, ReplicaAge, ReportData, render};

/// The data block of a page.
fn payload(page: &str) -> serde_json::Value {
    let (_, rest) = page.split_once("id=\"data\">").expect("a data block");
    let (json, _) = rest.split_once("</script>").expect("its end");
    serde_json::from_str(json).expect("JSON")
}

#[test]
fn sixty_six_days_of_twelve_policies_fit_five_megabytes() {
    let mut data = made_up::report(66);
    let page = render(&data);
    assert!(page.len() <= 5_000_000, "{} bytes", page.len());
    assert_eq!(page, render(&data), "not reproducible");
    for policy in &mut data.policies {
        let mark =
            |i: u32| DecisionMark { at_s: f64::from(i), from: i, to: i + 1, text: "\u{1}<".repeat(5000) };
        policy.decisions = (0..5_000).map(mark).collect();
    }
    let page = render(&data);
    assert!(page.len() <= 5_000_000, "{} bytes with long reasons", page.len());
    assert_eq!(payload(&page)["policies"][0]["marksTotal"], 5_000);
}

#[test]
fn many_policies_share_the_room() {
    let mut data = made_up::report(7);
    let one = data.policies[0].clone();
    data.policies = vec![one; 60];
    assert!(render(&data).len() <= 5_000_000);
}

#[test]
fn replicas_show_their_age_and_what_they_leaked() {
    let mut data = made_up::report(1);
    assert!(!render(&data).contains("class=\"ages\""));
    let replica = |replica, memory_mib| ReplicaAge {
        replica,
        age_hours: 3.25,
        memory_mib,
        leaked_mib: 700.0,
        limit_mib: Some(4_000),
        ..ReplicaAge::default()
    };
    let replicas = vec![replica(3, 1_000.0), replica(4, 3_000.0)];
    data.policies[0].aging = Some(Aging { oom_kills: 17, replicas, ..Aging::default() });
    let page = render(&data);
    assert!(
        page.contains("<td>17</td>") && page.contains("<td>3.2 h</td>") && page.contains("<td>75 %</td>")
    );
    assert!(page.find("<td>75 %</td>") < page.find("<td>25 %</td>"), "nearest to the limit first");
}

#[test]
fn hostile_text_stays_text() {
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u{2028}\"'&{{data}}";
    let mut data = made_up::report(1);
    data.title = hostile.into();
    data.description = hostile.into();
    data.command = hostile.into();
    data.scenario = hostile.into();
    data.generated_by = hostile.into();
    data.cost_unit = hostile.into();
    data.trace.name = hostile.into();
    data.notes = vec![hostile.into()];
    for policy in &mut data.policies {
        policy.name = hostile.into();
        policy.guards = hostile.into();
        policy.source = hostile.into();
        policy.decisions = vec![DecisionMark { at_s: 5.0, from: 1, to: 2, text: hostile.into() }];
    }
    let page = render(&data);
    assert_eq!(page.matches("</script>").count(), 2);
    assert!(!page.contains("<img") && !page.contains("alert(1)</script>"));
    let data = payload(&page);
    assert_eq!(data["policies"][0]["name"], hostile);
    assert_eq!(data["reasons"][0], hostile.replace('1', "\u{1}"));
}

#[test]
fn the_page_reaches_for_no_network() {
    let page = render(&made_up::report(1));
    assert!(page.contains("default-src 'none'"));
    let links = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http://", "https://", "@import", "url(h", "fetch(", "<link", "src="] {
        assert!(!links.contains(word), "{word}");
    }
}

#[test]
fn table_and_headline_read_without_a_script() {
    let page = render(&made_up::report(2));
    let before = page.split_once("<noscript>").unwrap().0;
    for text in ["class=\"lead\"", "hpa-tuned", "✗ misses", "✓ keeps", "Replica-hours"] {
        assert!(before.contains(text), "{text}");
    }
}

#[test]
fn odd_data_renders() {
    render(&ReportData::default());
    let mut data = ReportData {
        objective: Objective { latency_ms: f64::NAN, attainment: 1.0 },
        bound: Some(vec![]),
        policies: vec![PolicyReport::default(), PolicyReport::default()],
        ..ReportData::default()
    };
    data.policies[0].summary.cost = f64::INFINITY;
    data.policies[1].summary.attainment = f64::NAN;
    assert!(render(&data).contains("No policy keeps the objective"));
}
