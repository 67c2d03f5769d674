"""Records to scorecards: Gate 1 from ratings, Gate 2 from a grader's outcomes. Makes no API calls."""
