fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let mut o = homeostat_trace::ReadOptions::default();
    while let Some(a) = args.next() {
        let v = args.next().unwrap();
        match a.as_str() {
            "--map" => o.map = Some(v.parse().unwrap()),
            "--step" => o.step = Some(v.parse().unwrap()),
            "--artefact" => o.artefacts.push(v.parse().unwrap()),
            "--missing-zeros" => o.missing_zeros = Some(v.parse().unwrap()),
            "--on-duplicate" => o.on_duplicate = v.parse().unwrap(),
            "--format" => o.format = Some(v.parse().unwrap()),
            _ => panic!(),
        }
    }
    let t = std::time::Instant::now();
    match homeostat_trace::inspect(path.as_ref(), &o, 2000) {
        Ok(mut i) => {
            println!("{}", homeostat_trace::plot(&i.series, 100, 14));
            let n = i.series.len();
            let e = t.elapsed();
            i.series.clear();
            println!("{i:#?}\npoints {n} {e:?}");
        }
        Err(e) => println!("ERROR {e}"),
    }
    let t = std::time::Instant::now();
    if let Ok(tr) = homeostat_trace::open(path.as_ref(), &o) {
        let n = tr.stream.count();
        println!("read only: {n} items {:?}", t.elapsed());
    }
}
