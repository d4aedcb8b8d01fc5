"""What the daemon answers over HTTPS: for now the page by which a member leaves a list with one click."""
