fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let mut squares = [0; 4];
    pool.in_place_scope(|s| {
        for (n, square) in (0..4_u64).zip(&mut squares) {
            s.spawn(move |_| *square = n * n);
        }
    });
    println!("{}", squares.iter().sum::<u64>());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
