"""The pages that write: those of raters, and that of the author who adjudicates."""
