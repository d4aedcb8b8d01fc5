"""What ``maild diagnose`` looks at: each check answers lines that say what is so, and what to do where it is not."""
