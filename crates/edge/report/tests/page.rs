//! The page as a whole: size, safety against hostile text, and what reads without a script.

#[path = "../examples/sample/made_up.rs"]
mod made_up;

use homeostat_report::{
    Aging, DecisionMark, Forecast, Objective, PolicyReport, ReplicaAge, ReportData, render,
};

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

/// The paths of the first fan of a page, by class.
fn paths(page: &str) -> Vec<(&str, &str)> {
    let (_, rest) = page.split_once("<svg class=\"fan\"").expect("a fan");
    let (fan, _) = rest.split_once("</svg>").expect("its end");
    let parts = fan.split("<path class=\"").skip(1);
    parts.map(|part| part.trim_end_matches("\"/>").split_once("\" d=\"").expect("a path")).collect()
}

#[test]
fn a_fan_shows_what_was_expected_beside_what_came() {
    let mut data = made_up::report(1);
    let page = render(&data);
    assert_eq!(page.matches("<svg class=\"fan\"").count(), 3, "one for each policy that forecasts");
    assert!(page.contains("What predictive-hybrid expected 2 minutes ahead, and what came"));
    for policy in &mut data.policies {
        policy.forecasts.clear();
    }
    assert!(!render(&data).contains("class=\"fans\""));

    data.trace.span_s = 60.0;
    let gap = |scale: f32| vec![Some(scale), None, None, None, Some(2.0 * scale), Some(scale)];
    let [p5, p50, p95, p99] = [10.0, 20.0, 30.0, 50.0].map(gap);
    let arrived = vec![Some(5.0), None, Some(5.0), None, None, Some(5.0)];
    let step_s = 10.0;
    data.policies[0].forecasts = vec![Forecast { p5, p50, p95, p99, arrived, step_s, ..Forecast::default() }];
    let page = render(&data);
    let drawn = paths(&page);
    let classes: Vec<&str> =
        drawn.iter().map(|(class, _)| class.trim_end_matches(char::is_numeric)).collect();
    assert_eq!(classes, ["band fill", "line thin faint hue", "came", "line hue"]);
    // 0 to 104 requests per second on 218 units above 226; windows in the middles of sixths of 1174.
    assert_eq!(drawn[0].1, "M155.8 163.1L155.8 205.0ZM938.5 100.2L1134.2 163.1L1134.2 205.0L938.5 184.1Z");
    assert_eq!(drawn[2].1, "M155.8 215.5L547.2 215.5L1134.2 215.5");
    assert_eq!(drawn[3].1, "M155.8 184.1M938.5 142.2L1134.2 184.1");
}

#[test]
fn fans_share_their_room() {
    let mut data = made_up::report(66);
    let long: Vec<Forecast> = data.policies.iter().flat_map(|policy| policy.forecasts.clone()).collect();
    for policy in &mut data.policies {
        policy.forecasts.clone_from(&long);
    }
    let page = render(&data);
    assert!(page.len() <= 5_000_000, "{} bytes", page.len());
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
