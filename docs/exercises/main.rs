//! The exercises. Each file has one: what to do, code to complete or to mend, and tests that fail until it is done.
//!
//! ```text
//! cargo test --test exercises e01
//! ```

#![allow(dead_code, reason = "some of the code is to be completed, and not all is used before")]

#[path = "../steps/support.rs"]
mod support;

#[path = "01.rs"]
mod e01;
#[path = "02.rs"]
mod e02;
#[path = "03.rs"]
mod e03;
#[path = "04.rs"]
mod e04;
#[path = "05.rs"]
mod e05;
#[path = "06.rs"]
mod e06;
#[path = "07.rs"]
mod e07;
#[path = "08.rs"]
mod e08;
#[path = "09.rs"]
mod e09;
#[path = "10.rs"]
mod e10;
#[path = "11.rs"]
mod e11;
#[path = "12.rs"]
mod e12;
#[path = "13.rs"]
mod e13;
#[cfg(unix)]
#[path = "14.rs"]
mod e14;
#[path = "15.rs"]
mod e15;

/// What the tests of an exercise look at. For the solutions, it is another file.
mod answers {
    pub(crate) use crate::e01::yours as a01;
    pub(crate) use crate::e02::yours as a02;
    pub(crate) use crate::e03::yours as a03;
    pub(crate) use crate::e04::yours as a04;
    pub(crate) use crate::e05::yours as a05;
    pub(crate) use crate::e06::yours as a06;
    pub(crate) use crate::e07::yours as a07;
    pub(crate) use crate::e08::yours as a08;
    pub(crate) use crate::e09::yours as a09;
    pub(crate) use crate::e10::yours as a10;
    pub(crate) use crate::e11::yours as a11;
    pub(crate) use crate::e12::yours as a12;
    pub(crate) use crate::e13::yours as a13;
    #[cfg(unix)]
    pub(crate) use crate::e14::yours as a14;
    pub(crate) use crate::e15::yours as a15;
}
