//! The solutions, run by the tests of the exercises. `cargo test` does it, so that each stays solvable.

#![expect(dead_code, reason = "the code that the reader is to complete is not used here")]

#[path = "../../steps/support.rs"]
mod support;

#[path = "../01.rs"]
mod e01;
#[path = "../02.rs"]
mod e02;
#[path = "../03.rs"]
mod e03;
#[path = "../04.rs"]
mod e04;
#[path = "../05.rs"]
mod e05;
#[path = "../06.rs"]
mod e06;
#[path = "../07.rs"]
mod e07;
#[path = "../08.rs"]
mod e08;
#[path = "../09.rs"]
mod e09;
#[path = "../10.rs"]
mod e10;
#[path = "../11.rs"]
mod e11;
#[path = "../12.rs"]
mod e12;
#[path = "../13.rs"]
mod e13;
#[cfg(unix)]
#[path = "../14.rs"]
mod e14;
#[path = "../15.rs"]
mod e15;

#[path = "01.rs"]
mod a01;
#[path = "02.rs"]
mod a02;
#[path = "03.rs"]
mod a03;
#[path = "04.rs"]
mod a04;
#[path = "05.rs"]
mod a05;
#[path = "06.rs"]
mod a06;
#[path = "07.rs"]
mod a07;
#[path = "08.rs"]
mod a08;
#[path = "09.rs"]
mod a09;
#[path = "10.rs"]
mod a10;
#[path = "11.rs"]
mod a11;
#[path = "12.rs"]
mod a12;
#[path = "13.rs"]
mod a13;
#[cfg(unix)]
#[path = "14.rs"]
mod a14;
#[path = "15.rs"]
mod a15;

/// What the tests of an exercise look at.
mod answers {
    pub(crate) use crate::a01;
    pub(crate) use crate::a02;
    pub(crate) use crate::a03;
    pub(crate) use crate::a04;
    pub(crate) use crate::a05;
    pub(crate) use crate::a06;
    pub(crate) use crate::a07;
    pub(crate) use crate::a08;
    pub(crate) use crate::a09;
    pub(crate) use crate::a10;
    pub(crate) use crate::a11;
    pub(crate) use crate::a12;
    pub(crate) use crate::a13;
    #[cfg(unix)]
    pub(crate) use crate::a14;
    pub(crate) use crate::a15;
}

#[test]
fn the_readme_has_a_row_for_each_exercise() {
    let exercises = [
        include_str!("../01.rs"),
        include_str!("../02.rs"),
        include_str!("../03.rs"),
        include_str!("../04.rs"),
        include_str!("../05.rs"),
        include_str!("../06.rs"),
        include_str!("../07.rs"),
        include_str!("../08.rs"),
        include_str!("../09.rs"),
        include_str!("../10.rs"),
        include_str!("../11.rs"),
        include_str!("../12.rs"),
        include_str!("../13.rs"),
        include_str!("../14.rs"),
        include_str!("../15.rs"),
    ];
    for (number, exercise) in (1..).zip(exercises) {
        let mut lines = exercise.lines().filter_map(|line| line.strip_prefix("//! "));
        let title = lines.next().unwrap().trim_start_matches("# ");
        let [stars, minutes, chapter] =
            lines.next().unwrap().split(" · ").collect::<Vec<_>>().try_into().unwrap();
        let minutes = minutes.trim_end_matches(" minutes");
        let row = format!("| [{title}]({number:02}.rs) | {stars} | {minutes} | {chapter} |");
        assert!(
            include_str!("../README.md").contains(&row),
            "docs/exercises/README.md lacks `{row}`"
        );
    }
}
