//! The colours of the pictures, each for a bright page and for a dark one.

use plotters::style::RGBColor;

use crate::line_up::Role;

pub(super) const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
pub(super) const TEXT: RGBColor = RGBColor(31, 35, 40);
pub(super) const QUIET: RGBColor = RGBColor(101, 109, 118);
pub(super) const GRID: RGBColor = RGBColor(216, 222, 228);
pub(super) const MET: RGBColor = RGBColor(26, 127, 55);
pub(super) const MISSED: RGBColor = RGBColor(207, 34, 46);

const OURS: [RGBColor; 2] = [RGBColor(9, 105, 218), RGBColor(84, 174, 255)];
const PEERS: [RGBColor; 6] = [
    RGBColor(188, 76, 0),
    RGBColor(130, 80, 223),
    RGBColor(27, 124, 131),
    RGBColor(191, 57, 137),
    RGBColor(110, 80, 60),
    RGBColor(125, 108, 0),
];

/// Whose colour is which, by how their names begin: the same in every picture.
const FAMILIES: [&[&str]; 6] =
    [&["rayon"], &["threadpool"], &["tokio"], &["smol", "async"], &["futures", "std"], &["compio"]];

/// The same colours for a dark page.
const ON_DARK: [(RGBColor, RGBColor); 14] = [
    (BACKGROUND, RGBColor(13, 17, 23)),
    (TEXT, RGBColor(230, 237, 243)),
    (QUIET, RGBColor(145, 152, 161)),
    (GRID, RGBColor(48, 54, 61)),
    (MET, RGBColor(86, 211, 100)),
    (MISSED, RGBColor(255, 123, 114)),
    (OURS[0], RGBColor(31, 136, 255)),
    (OURS[1], RGBColor(165, 214, 255)),
    (PEERS[0], RGBColor(255, 166, 87)),
    (PEERS[1], RGBColor(210, 168, 255)),
    (PEERS[2], RGBColor(118, 227, 234)),
    (PEERS[3], RGBColor(255, 155, 206)),
    (PEERS[4], RGBColor(200, 170, 145)),
    (PEERS[5], RGBColor(227, 200, 65)),
];

/// A colour for each contender of one picture: that of its family, or, if that is taken, another one.
pub(super) fn of(contenders: &[(Role, &str)]) -> Vec<RGBColor> {
    let mut taken = Vec::new();
    for &(role, name) in contenders {
        let candidates = match role {
            Role::Ours => OURS.to_vec(),
            Role::Peer => {
                let mut candidates = vec![PEERS[family(name)]];
                candidates.extend(PEERS.iter().rev());
                candidates
            }
            Role::Baseline => vec![QUIET],
        };
        let free = candidates.iter().find(|colour| !taken.contains(*colour));
        taken.push(*free.unwrap_or(&candidates[0]));
    }
    taken
}

fn family(name: &str) -> usize {
    let is_of = |family: &&[&str]| family.iter().any(|beginning| name.starts_with(beginning));
    FAMILIES.iter().position(is_of).unwrap_or_default()
}

/// What repaints a picture where the page is dark. `plotters` writes a colour as an attribute, and a rule
/// of a style sheet wins over that.
pub(super) fn style_sheet() -> String {
    let rule = |(bright, dark): &(RGBColor, RGBColor)| {
        let (bright, dark) = (hex(*bright), hex(*dark));
        format!("[fill=\"{bright}\"]{{fill:{dark}}}[stroke=\"{bright}\"]{{stroke:{dark}}}")
    };
    let rules: String = ON_DARK.iter().map(rule).collect();
    format!("<style>@media (prefers-color-scheme: dark){{{rules}}}</style>\n")
}

fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_has_its_colour_and_its_second_member_another_one() {
        let names = ["rayon spawn", "rayon scope", "threadpool", "tokio"];
        let colours = of(&names.map(|name| (Role::Peer, name)));
        assert_eq!(colours, [PEERS[0], PEERS[5], PEERS[1], PEERS[2]]);
    }

    #[test]
    fn no_two_colours_are_the_same_on_either_page() {
        let (mut bright, mut dark): (Vec<_>, Vec<_>) =
            ON_DARK.iter().map(|(bright, dark)| (hex(*bright), hex(*dark))).unzip();
        for colours in [&mut bright, &mut dark] {
            colours.sort();
            colours.dedup();
            assert_eq!(colours.len(), ON_DARK.len());
        }
    }
}
