"""Programs that measure, each beside what others need for the same in the same run. Started by hand, not by pytest."""
