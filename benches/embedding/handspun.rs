fn main() {
    let pool = handspun::ThreadPool::new(4);
    let jobs: Vec<_> = (0..4_u64).map(|n| pool.submit(move || n * n)).collect();
    let sum: u64 = jobs.into_iter().map(|job| job.join().unwrap()).sum();
    println!("{sum}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
