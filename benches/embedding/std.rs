fn main() {
    let jobs: Vec<_> = (0..4_u64).map(|n| std::thread::spawn(move || n * n)).collect();
    let sum: u64 = jobs.into_iter().map(|job| job.join().unwrap()).sum();
    println!("{sum}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
