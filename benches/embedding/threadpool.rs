fn main() {
    let pool = threadpool::ThreadPool::new(4);
    let (sender, results) = std::sync::mpsc::channel();
    for n in 0..4_u64 {
        let sender = sender.clone();
        pool.execute(move || sender.send(n * n).unwrap());
    }
    println!("{}", results.iter().take(4).sum::<u64>());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
