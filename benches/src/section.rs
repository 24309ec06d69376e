//! A part of a document that a program writes, between two marks, so that the words around it stay.

use std::path::Path;
use std::{fs, io};

/// Puts `text` between `<!-- name: generated -->` and `<!-- name: end -->` in the file.
pub(crate) fn write(file: &Path, name: &str, text: &str) -> io::Result<()> {
    let document = fs::read_to_string(file)?;
    let Some(document) = replaced(&document, name, text) else {
        let message = format!("{} has no marks for `{name}`", file.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    };
    fs::write(file, document)
}

fn replaced(document: &str, name: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- {name}: generated -->\n");
    let (before, rest) = document.split_once(&begin)?;
    let end = rest.find(&format!("<!-- {name}: end -->"))?;
    Some(format!("{before}{begin}\n{}\n\n{}", text.trim(), &rest[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_the_marks_is_replaced_and_the_rest_stays() {
        let document = "a\n<!-- run: generated -->\nold\n<!-- run: end -->\nz\n";
        let expected = "a\n<!-- run: generated -->\n\nnew\n\n<!-- run: end -->\nz\n";
        assert_eq!(replaced(document, "run", "new\n").as_deref(), Some(expected));
        assert_eq!(replaced(expected, "run", "new").as_deref(), Some(expected));
    }

    #[test]
    fn a_document_without_the_marks_is_left_alone() {
        assert_eq!(replaced("<!-- run: generated -->\n", "run", "new"), None);
        assert_eq!(replaced("<!-- other: generated -->\n<!-- other: end -->", "run", "new"), None);
    }
}
