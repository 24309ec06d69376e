//! Who may use whom: the modules, the core, and the order of the `mod` lines.
//!
//! Knows nothing of what the files do. What must always hold: a path is followed through every
//! re-export to the file where the thing is made, so that no door lets through what a wall stops.

use std::collections::BTreeMap;

use crate::repository::{Repository, Violation, module_of};

/// What everybody may use, and what uses none of the modules.
const CORE: [&str; 5] = ["prims", "error", "panic", "trace_event", "wait"];
/// What meets in the user's code only.
const MODULES: [&str; 5] = ["pool", "executor", "sync", "process", "observe"];

/// A module uses the core and itself; modules never import one another, and the core none of them.
pub(crate) fn a_module_uses_the_core_and_itself(repository: &Repository) -> Vec<Violation> {
    let plan = Plan::of(repository);
    let mut violations = files_off_the_plan(repository);
    for usage in plan.usages(repository) {
        let ([user, ..], [maker, ..]) = (usage.user.as_slice(), usage.maker.as_slice()) else {
            continue; // The crate root uses everybody; who uses it is told by the order.
        };
        if user != maker && MODULES.contains(&maker.as_str()) {
            let message = format!(
                "`{user}` uses `{maker}`, a module. Files meet a module in the user's code only, \
                 through `Future`, `Waker` and `CancellationToken`; what both need lives in the core."
            );
            violations.push(Violation::new(usage.path, usage.line, message));
        }
    }
    violations
}

/// A top-level file is of the core or a module.
fn files_off_the_plan(repository: &Repository) -> Vec<Violation> {
    let files = repository.files().filter(|file| {
        let module = module_of(&file.path);
        module.first().is_some_and(|top| ![CORE, MODULES].concat().contains(&top.as_str()))
    });
    let message = "the plan of the repository (tests/tidy/order.rs) shows no such file.";
    files.map(|file| Violation::new(&file.path, 1, message)).collect()
}

/// The order of `mod` lines is the import order: a module uses only those above it.
pub(crate) fn a_module_uses_only_those_above_it(repository: &Repository) -> Vec<Violation> {
    let plan = Plan::of(repository);
    let mut violations = Vec::new();
    for usage in plan.usages(repository) {
        let (user, maker) = (usage.user.join("::"), usage.maker.join("::"));
        let message = match plan.standing(&usage.user, &usage.maker) {
            Standing::Above => continue,
            Standing::Below => {
                format!(
                    "`crate::{maker}` stands below `crate::{user}` in the order of `mod` lines."
                )
            }
            Standing::Around => format!(
                "`crate::{user}` uses what the file of its parent `crate::{maker}` makes. That \
                 file stands below its `mod` lines: move the thing into a module of its own, above."
            ),
        };
        violations.push(Violation::new(usage.path, usage.line, message));
    }
    violations
}

/// Every file of `src` has its `mod` line; one without is not compiled, and nobody notices.
pub(crate) fn every_file_has_its_mod_line(repository: &Repository) -> Vec<Violation> {
    let plan = Plan::of(repository);
    let undeclared = repository.files().filter(|file| {
        let module = module_of(&file.path);
        let Some((name, parent)) = module.split_last() else {
            return false;
        };
        !plan.children.get(parent).is_some_and(|children| children.contains(name))
    });
    let message = "no `mod` line declares this file.";
    undeclared.map(|file| Violation::new(&file.path, 1, message)).collect()
}

type Module = Vec<String>;

/// The `mod` lines and `use` lines of every module.
struct Plan {
    /// In the order of their `mod` lines.
    children: BTreeMap<Module, Vec<String>>,
    /// The names that a module's own `use` lines bring in, and what they stand for.
    imports: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

/// One module uses another, which makes what it names.
struct Usage<'repository> {
    path: &'repository str,
    line: usize,
    user: Module,
    maker: Module,
}

/// Where the maker of a thing stands, seen from its user.
enum Standing {
    /// Above it, within it, or the same.
    Above,
    Below,
    /// It is the user's parent, or the parent's parent.
    Around,
}

impl Plan {
    fn of(repository: &Repository) -> Self {
        // The root is there even in a repository too small to have a crate root.
        let mut plan = Self {
            children: BTreeMap::from([(Module::new(), Vec::new())]),
            imports: BTreeMap::from([(Module::new(), BTreeMap::new())]),
        };
        for file in repository.files() {
            let module = module_of(&file.path);
            let children: Vec<_> = file.modules().into_iter().map(str::to_owned).collect();
            let mut imports = BTreeMap::new();
            for (name, names) in file.imports() {
                if let Some(target) = from_the_root(&module, &children, &names) {
                    imports.insert(name, target);
                }
            }
            plan.imports.insert(module.clone(), imports);
            plan.children.insert(module, children);
        }
        plan
    }

    fn usages<'repository>(&self, repository: &'repository Repository) -> Vec<Usage<'repository>> {
        let mut usages = Vec::new();
        for file in repository.files() {
            let user = module_of(&file.path);
            for reference in file.references() {
                // A module that is written out in the file is part of it: the first `super`s
                // only lead back to the file's own level.
                let written_out = vec!["…".to_owned(); reference.inline_modules];
                let place = [user.clone(), written_out].concat();
                let Some(target) = from_the_root(&place, &[], &reference.names) else {
                    continue;
                };
                let (path, line, maker) = (&file.path, reference.line, self.home_of(target));
                usages.push(Usage { path, line, user: user.clone(), maker });
            }
        }
        usages
    }

    /// The module that makes what `path` names, through every re-export on the way.
    fn home_of(&self, mut path: Vec<String>) -> Module {
        // Two doors may lead to each other; more doors than modules lead nowhere.
        for _ in 0..self.children.len() {
            let module = self.module_in(&path);
            let [name, rest @ ..] = &path[module.len()..] else {
                break;
            };
            let Some(target) = self.imports[&module].get(name) else {
                break;
            };
            path = [target.as_slice(), rest].concat();
        }
        self.module_in(&path)
    }

    /// The longest beginning of `path` that is a module.
    fn module_in(&self, path: &[String]) -> Module {
        let mut module = path.to_vec();
        while !self.children.contains_key(&module) && module.pop().is_some() {}
        module
    }

    fn standing(&self, user: &[String], maker: &[String]) -> Standing {
        let shared = user.iter().zip(maker).take_while(|(a, b)| a == b).count();
        let (Some(user_branch), Some(maker_branch)) = (user.get(shared), maker.get(shared)) else {
            return if shared == user.len() { Standing::Above } else { Standing::Around };
        };
        let siblings = &self.children[&user[..shared]];
        let place_of = |name| siblings.iter().position(|sibling| sibling == name);
        if place_of(maker_branch) < place_of(user_branch) {
            Standing::Above
        } else {
            Standing::Below
        }
    }
}

/// `super::b::C` in `[wait, a]` is `[wait, b, C]`; nothing if the path leads out of the crate.
fn from_the_root(module: &[String], children: &[String], names: &[String]) -> Option<Vec<String>> {
    let first = names.first()?;
    let mut place = match first.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.to_vec(),
        _ if children.contains(first) => module.to_vec(),
        _ => return None,
    };
    for name in names {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => {
                place.pop();
            }
            _ => place.push(name.clone()),
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::{
        a_module_uses_only_those_above_it, a_module_uses_the_core_and_itself,
        every_file_has_its_mod_line,
    };
    use crate::repository::caught;

    #[test]
    fn a_wing_that_imports_a_wing_is_caught() {
        let repository = [
            (
                "src/pool/job.rs",
                "use crate::prims::Mutex;\nuse crate::{\n  wait::Settle,\n  executor::Task,\n};",
            ),
            ("src/executor/mod.rs", ""),
            ("src/process.rs", ""),
            ("src/sync/mod.rs", "fn f() { crate::sync::g(); crate::process::kill() }"),
        ];
        assert_eq!(
            caught(a_module_uses_the_core_and_itself, &repository),
            ["src/pool/job.rs:4", "src/sync/mod.rs:1"]
        );
    }

    #[test]
    fn a_hall_that_imports_a_wing_is_caught() {
        let repository = [
            ("src/wait/mod.rs", "use super::pool::Job;\nuse super::prims::Mutex;"),
            ("src/pool.rs", ""),
        ];
        assert_eq!(caught(a_module_uses_the_core_and_itself, &repository), ["src/wait/mod.rs:1"]);
    }

    #[test]
    fn a_wing_that_comes_in_by_the_crate_root_is_caught() {
        let repository = [
            (
                "src/lib.rs",
                "mod wait; mod pool; mod sync; pub use pool::Pool; pub use wait::{Timer as Clock};",
            ),
            ("src/wait/mod.rs", ""),
            ("src/pool/mod.rs", "mod threads; pub use threads::Pool;"),
            ("src/pool/threads.rs", "use crate::Clock;"),
            ("src/sync/mod.rs", "use crate::Clock;\nuse crate::Pool;"),
        ];
        assert_eq!(caught(a_module_uses_the_core_and_itself, &repository), ["src/sync/mod.rs:2"]);
    }

    #[test]
    fn a_room_that_the_plan_does_not_show_is_caught() {
        let repository = [("src/lib.rs", ""), ("src/util.rs", ""), ("src/wait/util.rs", "")];
        assert_eq!(caught(a_module_uses_the_core_and_itself, &repository), ["src/util.rs:1"]);
    }

    #[test]
    fn a_module_that_uses_one_below_it_is_caught() {
        let repository = [
            ("src/lib.rs", "mod prims; mod wait; pub use wait::block_on;"),
            ("src/prims.rs", "use crate::wait::parker::Parker;"),
            ("src/wait/mod.rs", "mod parker; mod settle; pub use settle::Settle;"),
            (
                "src/wait/parker.rs",
                "use crate::prims::{\n Mutex};\nfn f() { super::settle::g() }\nuse super::Settle;",
            ),
            ("src/wait/settle.rs", "use super::parker; fn f() { parker::g(); self::h() }"),
        ];
        assert_eq!(
            caught(a_module_uses_only_those_above_it, &repository),
            ["src/prims.rs:1", "src/wait/parker.rs:3", "src/wait/parker.rs:4"]
        );
    }

    #[test]
    fn a_module_that_uses_what_its_parent_makes_is_caught() {
        let repository = [
            ("src/lib.rs", "mod wait;"),
            ("src/wait/mod.rs", "mod parker; pub fn spin_limit() {} pub use parker::Parker;"),
            ("src/wait/parker.rs", "use super::spin_limit;\nuse super::Parker;"),
        ];
        assert_eq!(
            caught(a_module_uses_only_those_above_it, &repository),
            ["src/wait/parker.rs:1"]
        );
    }

    #[test]
    fn unit_tests_and_written_out_modules_may_look_up() {
        let repository = [
            ("src/lib.rs", "mod prims; mod pool;"),
            (
                "src/prims.rs",
                "struct A; mod ground { use super::A; }\n#[cfg(test)]\nmod tests { use crate::pool; }",
            ),
            ("src/pool/mod.rs", "use crate::prims::A;"),
        ];
        assert_eq!(caught(a_module_uses_only_those_above_it, &repository), [""; 0]);
    }

    #[test]
    fn a_file_that_nobody_declares_is_caught() {
        let repository = [
            ("src/lib.rs", "mod wait;\n#[cfg(test)] mod schedules;"),
            ("src/schedules.rs", ""),
            ("src/wait/mod.rs", "mod parker { }"),
            ("src/wait/parker.rs", ""),
        ];
        assert_eq!(caught(every_file_has_its_mod_line, &repository), ["src/wait/parker.rs:1"]);
    }
}
