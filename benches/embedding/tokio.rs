fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let jobs: Vec<_> = (0..4_u64).map(|n| runtime.spawn_blocking(move || n * n)).collect();
    let sum = jobs.into_iter().map(|job| runtime.block_on(job).unwrap()).sum::<u64>();
    println!("{sum}");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
