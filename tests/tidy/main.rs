//! The rules of the repository, held by a test.
//!
//! Each rule is a function from the repository, read as text, to what breaks it. Each has two
//! kinds of test: here it is asked of the repository as it stands, and beside it, of a small repository
//! with a planted violation, since a rule that catches nothing looks just like one that is kept.
//!
//! Knows nothing of what the code does; for that there are the other tests. What must always hold:
//! a message says what to do, and a rule reads the same files whether or not they compile.
//!
//! ```text
//! cargo test --test tidy                  the rules
//! cargo test --test tidy -- --nocapture   and how many lines of code each file has
//! ```

mod lexer;
mod source;
mod repository;
mod order;
mod size;
mod words;
mod module_docs;
mod arguments;
mod claims;
mod leftovers;
mod quotes;
mod diagrams;
mod documents;
mod names;
mod pages;
mod counts;
mod vocabulary;
mod manifest;

use repository::{Repository, holds};

#[test]
fn a_module_uses_the_core_and_itself() {
    holds(order::a_module_uses_the_core_and_itself);
}

#[test]
fn a_module_uses_only_those_above_it() {
    holds(order::a_module_uses_only_those_above_it);
}

#[test]
fn every_file_has_its_mod_line() {
    holds(order::every_file_has_its_mod_line);
}

#[test]
fn a_file_is_one_idea() {
    holds(size::a_file_is_one_idea);
}

#[test]
fn the_crate_is_small_on_purpose() {
    println!("{}", size::table(&Repository::here()));
    holds(size::the_crate_is_small_on_purpose);
}

#[test]
fn telling_words_stay_at_home() {
    holds(words::telling_words_stay_at_home);
}

#[test]
fn thread_locals_come_through_prims() {
    holds(words::thread_locals_come_through_prims);
}

#[test]
fn no_word_comes_back() {
    holds(vocabulary::no_word_comes_back);
}

#[test]
fn a_type_name_is_one_thing() {
    holds(vocabulary::a_type_name_is_one_thing);
}

#[test]
fn every_file_opens_with_a_module_doc() {
    holds(module_docs::every_file_opens_with_a_module_doc);
}

#[test]
fn every_module_doc_says_what_it_does_not_know() {
    holds(module_docs::every_module_doc_says_what_it_does_not_know);
}

#[test]
fn what_must_always_hold_is_said() {
    holds(module_docs::what_must_always_hold_is_said);
}

#[test]
fn the_crate_root_has_no_logic() {
    holds(module_docs::the_crate_root_has_no_logic);
}

#[test]
fn every_ordering_is_argued() {
    holds(arguments::every_ordering_is_argued);
}

#[test]
fn every_unsafe_is_argued() {
    holds(arguments::every_unsafe_is_argued);
}

#[test]
fn every_silenced_lint_has_a_reason() {
    holds(arguments::every_silenced_lint_has_a_reason);
}

#[test]
fn a_test_is_named_after_its_claim() {
    holds(claims::a_test_is_named_after_its_claim);
}

#[test]
fn no_test_sleeps_to_order_events() {
    holds(claims::no_test_sleeps_to_order_events);
}

#[test]
fn every_model_check_has_its_row() {
    holds(claims::every_model_check_has_its_row);
}

#[test]
fn nothing_is_marked_as_undone() {
    holds(leftovers::nothing_is_marked_as_undone);
}

#[test]
fn no_machine_is_named() {
    holds(leftovers::no_machine_is_named);
}

#[test]
fn every_quotation_stands_in_its_file() {
    holds(quotes::every_quotation_stands_in_its_file);
}

#[test]
fn every_diagram_is_drawn() {
    holds(diagrams::every_diagram_is_drawn);
}

#[test]
fn every_diagram_is_shown() {
    holds(diagrams::every_diagram_is_shown);
}

#[test]
fn every_name_in_a_diagram_exists() {
    holds(diagrams::every_name_in_a_diagram_exists);
}

#[test]
fn every_link_leads_somewhere() {
    holds(documents::every_link_leads_somewhere);
}

#[test]
fn every_name_in_prose_exists() {
    holds(names::every_name_in_prose_exists);
}

#[test]
fn every_issue_is_a_link() {
    holds(pages::every_issue_is_a_link);
}

#[test]
fn every_document_is_a_page() {
    holds(pages::every_document_is_a_page);
}

#[test]
fn every_public_name_has_its_subject() {
    holds(pages::every_public_name_has_its_subject);
}

#[test]
fn a_word_has_one_row() {
    holds(pages::a_word_has_one_row);
}

#[test]
fn the_weekends_are_counted() {
    holds(pages::the_weekends_are_counted);
}

#[test]
fn a_count_of_lines_is_right() {
    holds(counts::a_count_of_lines_is_right);
}

#[test]
fn a_count_of_instructions_is_right() {
    holds(counts::a_count_of_instructions_is_right);
}

#[test]
fn every_file_has_its_row() {
    holds(documents::every_file_has_its_row);
}

#[test]
fn the_crate_leans_on_what_the_design_names() {
    holds(manifest::the_crate_leans_on_what_the_design_names);
}

#[test]
fn every_dependency_comes_from_crates_io() {
    holds(manifest::every_dependency_comes_from_crates_io);
}

#[test]
fn the_top_of_the_repository_is_in_order() {
    holds(manifest::the_top_of_the_repository_is_in_order);
}

#[test]
fn every_example_is_registered() {
    holds(manifest::every_example_is_registered);
}

#[test]
fn the_changelog_is_up_to_date() {
    holds(manifest::the_changelog_is_up_to_date);
}
