//! A divergence, as it is printed.

use crate::cli::output::print_line;
use crate::replay::Divergence;

/// Both sides of it.
pub(in crate::cli) fn sides(divergence: &Divergence) -> anyhow::Result<()> {
    let sides = [
        ("recorded", &divergence.recorded),
        ("now", &divergence.replayed),
    ];
    for (which, side) in sides {
        let nothing = [String::from("nothing")];
        let lines = if side.lines.is_empty() {
            &nothing[..]
        } else {
            &side.lines
        };
        for line in lines {
            print_line(&format!("  {which:>8}: {line}"))?;
        }
    }
    Ok(())
}
