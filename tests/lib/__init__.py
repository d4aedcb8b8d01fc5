"""What several test files share: private servers, clients, and where outside programs are found."""
