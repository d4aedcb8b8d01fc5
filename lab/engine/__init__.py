"""What runs behind a command: the model's own answers, or a real PowerShell on the same model."""
