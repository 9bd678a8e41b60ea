//! A picture for a user who has none: their initials on a coloured ground.
